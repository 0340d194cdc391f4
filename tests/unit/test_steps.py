"""Which step comes next: what passes a step, what sends the work back, where a run begins and how it ends."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orange.core.steps import (
    AGENT,
    APPROVAL,
    APPROVED,
    COMMAND,
    COMMIT,
    DONE,
    FAILED,
    GATE,
    INTERRUPTED,
    LAST,
    MODES,
    REJECTED,
    REVIEW,
    SKIPPED,
    Pipeline,
    Result,
    Step,
    back,
    is_over,
    main_step,
    resumed,
    stand,
    waiting_at,
    with_gates,
)

PLAN, BUILD = Step("plan"), Step("implement")
TEST = Step("test", COMMAND, run="make test", retries=2, on_fail="implement")
GO = Step("go", APPROVAL)
STEPS = (PLAN, BUILD, TEST, GO, Step("review", REVIEW), Step("commit", COMMIT))


def told(*words: str, run: str = "r1") -> list[Result]:
    """Write results as `step outcome`."""
    return [Result(step, outcome, run=run) for step, outcome in (word.split() for word in words)]


@pytest.mark.parametrize(
    ("results", "at"),
    [
        ([], "plan"),
        (["plan done"], "implement"),
        (["plan interrupted"], "plan"),
        (["plan failed"], "plan"),
        (["plan skipped"], "plan"),
        (["plan done", "implement done"], "test"),
        (["plan done", "implement done", "test failed"], "implement"),
        (["plan done", "implement done", "test failed", "implement done"], "test"),
        (["plan done", "implement done", "test done"], "go"),
        (["plan done", "implement done", "test done", "go done"], "go"),
        (["plan done", "implement done", "test done", "go approved"], "review"),
        (["plan done", "implement done", "test done", "go rejected"], "implement"),
        (["plan done", "implement done", "test done", "go approved", "review rejected"], "implement"),
        (["implement done"], "plan"),
        (["plan done", "gone done", "test done"], "implement"),
        (["plan done", "implement done", "plan interrupted"], "plan"),
    ],
)
def test_where_a_pipeline_stands(results: list[str], at: str) -> None:
    """Only a step's own good end passes it; failures and refusals go back; results out of order pass nothing."""
    assert STEPS[stand(STEPS, told(*results)).at].name == at


def test_a_loop_is_bounded_within_a_run() -> None:
    """After `retries` failures the run fails with the last; the next run begins at the step that failed."""
    results = told("plan done", "implement done", "test failed", "implement done", "test failed", "implement done")
    assert stand(STEPS, results, "r1").failure is None
    results += told("test failed")
    assert stand(STEPS, results, "r1").failure == results[-1]
    again = stand(STEPS, results, "r2")
    assert (STEPS[again.at].name, again.failure, again.because) == ("test", None, results[-1])
    results += told("test failed", run="r2")
    assert STEPS[stand(STEPS, results, "r2").at].name == "implement"


def test_what_is_not_required_is_passed_over_when_it_failed() -> None:
    """Its failure is no failure of the run, once it is not tried again."""
    lint = Step("lint", COMMAND, run="lint", retries=1, required=False)
    assert stand((lint, BUILD), told("lint failed"), "r1").at == 0
    place = stand((lint, BUILD), told("lint failed", "lint failed"), "r1")
    assert (place.at, place.failure, place.because) == (1, None, None)


def test_only_a_condition_may_skip() -> None:
    """A step without a condition is done, whatever says that it was skipped."""
    free = Step("docs", condition="test -d docs")
    assert stand((free,), told("docs skipped")).at == 1
    assert stand((PLAN,), told("plan skipped")).at == 0


def test_the_failure_that_sent_the_work_back_is_known() -> None:
    """The step that is done again is told why."""
    results = told("plan done", "implement done", "test failed")
    assert stand(STEPS, results, "r1").because == results[-1]
    assert stand(STEPS, [*results, *told("implement done")], "r1").because is None


@pytest.mark.parametrize(
    ("results", "approved", "feedback", "begins"),
    [
        ([], None, None, "plan"),
        (["plan done", "implement interrupted"], None, None, "implement"),
        (["plan done", "implement failed"], None, "they differ", "implement"),
        (["plan done", "implement done", "test done"], None, None, "go"),
        (["plan done", "implement done", "test done"], "ada", None, "review"),
        (["plan done", "implement done", "test done"], None, "too slow", "implement"),
        (["plan done", "implement done", "test done", "go approved"], None, None, "plan"),
        (["plan done", "implement done", "test done", "go approved"], None, "too slow", "implement"),
        (["plan done"], "ada", None, "implement"),
    ],
)
def test_where_the_next_run_begins(results: list[str], approved: str | None, feedback: str | None, begins: str) -> None:
    """Where the last one was cut off; behind what was approved; where the work was done when changes are wanted."""
    seed = resumed(STEPS, told(*results), approved=approved, feedback=feedback)
    assert STEPS[stand(STEPS, seed, "r2").at].name == begins


def test_changes_to_a_pipeline_without_a_review_go_to_its_last_agent() -> None:
    """There is no step that could be rejected, and still the work goes back."""
    only = (PLAN, BUILD)
    seed = resumed(only, told("plan done", "implement done"), feedback="more")
    assert only[stand(only, seed).at].name == "implement"
    assert back((), 0) == 0


@pytest.mark.parametrize(
    ("mode", "person", "names"),
    [
        ("autopilot", False, "plan implement review commit"),
        ("supervised", True, "approve-plan plan approve-implement implement review commit"),
        ("supervised", False, "approve-plan plan approve-implement implement approve-commit review commit"),
        ("collaborative", True, "plan implement approve-implement review commit"),
        ("review_only", False, "plan implement approve-implement approve-commit review commit"),
    ],
)
def test_a_mode_is_a_set_of_approvals(mode: str, person: bool, names: str) -> None:
    """Approvals stand before and after the named steps; a person's review is the approval of what is committed."""
    plain = Pipeline("x", (PLAN, BUILD, Step("review", REVIEW), Step("commit", COMMIT)))
    assert " ".join(step.name for step in with_gates(plain, mode, person_reviews=person).steps) == names


def test_a_mode_adds_nothing_to_what_is_not_there() -> None:
    """A pipeline without the named steps has no gates, and a name that is taken is not given twice."""
    plain = Pipeline("x", (Step("scan"), Step("report")))
    for mode in MODES:
        assert with_gates(plain, mode, person_reviews=False) == plain
    taken = Pipeline("x", (Step("approve-plan"), PLAN))
    names = [step.name for step in with_gates(taken, "supervised", person_reviews=False).steps]
    assert len(names) == len(set(names)) == 3


def test_the_main_step_is_where_the_work_is_done() -> None:
    """`implement` where there is one, else the last of an agent, else none."""
    assert main_step(STEPS) == "implement"
    assert main_step((PLAN, Step("report"), Step("commit", COMMIT))) == "report"
    assert main_step((TEST,)) is None


_NAMES = ("a", "b", "c", "d", "e")


@st.composite
def _pipelines(draw: st.DrawFn) -> tuple[Step, ...]:
    """Draw any pipeline that the parser would accept."""
    found: list[Step] = []
    for name in _NAMES[: draw(st.integers(1, 5))]:
        kind = draw(st.sampled_from((AGENT, COMMAND, GATE, APPROVAL)))
        retries = 0 if kind == APPROVAL else draw(st.integers(0, 3))
        on_fail = draw(st.sampled_from([None, *(step.name for step in found)]))
        condition = draw(st.sampled_from((None, "x"))) if kind != APPROVAL else None
        required = kind == APPROVAL or draw(st.booleans())
        found.append(Step(name, kind, retries=retries, on_fail=on_fail, condition=condition, required=required))
    tail = draw(st.sampled_from(((), (Step("review", REVIEW),), (Step("review", REVIEW), Step("commit", COMMIT)))))
    return (*found, *tail)


@given(_pipelines(), st.data())
@settings(deadline=None)
def test_every_run_ends_and_passes_no_step_without_a_result(pipeline: tuple[Step, ...], data: st.DataObject) -> None:
    """Whatever comes of its steps, a run ends after a bounded number of them, and its end has a reason."""
    results: list[Result] = []
    most = sum(step.retries + 1 for step in pipeline) * len(pipeline)
    for _ in range(most + 1):
        place = stand(pipeline, results, "r")
        assert 0 <= place.at <= len(pipeline)
        if place.failure or place.at == len(pipeline) or pipeline[place.at].kind in LAST | {APPROVAL}:
            break
        outcomes = [DONE, FAILED, *([SKIPPED] if pipeline[place.at].condition else [])]
        results.append(Result(pipeline[place.at].name, data.draw(st.sampled_from(outcomes)), run="r"))
    else:
        pytest.fail(f"no end after {most} steps")
    latest = {result.step: result.outcome for result in results}
    for step in pipeline[: place.at]:
        passed = {DONE, SKIPPED} if step.condition else {DONE}
        assert latest[step.name] in passed or (latest[step.name] == FAILED and not step.required)
    if place.failure:
        failed = [result for result in results if result.step == place.failure.step and result.outcome == FAILED]
        assert len(failed) == next(step.retries for step in pipeline if step.name == place.failure.step) + 1


@given(
    _pipelines(),
    st.lists(
        st.builds(
            Result,
            st.sampled_from((*_NAMES, "review", "gone")),
            st.sampled_from((DONE, FAILED, SKIPPED, INTERRUPTED, APPROVED, REJECTED)),
            run=st.sampled_from(("r1", "r2")),
        )
    ),
    st.sampled_from((None, "changes")),
    st.sampled_from((None, "ada")),
)
@settings(deadline=None)
def test_any_history_gives_a_run_a_place_to_begin(
    pipeline: tuple[Step, ...], results: list[Result], feedback: str | None, approved: str | None
) -> None:
    """Whatever is on record, even of another pipeline, a run begins at one of the steps or has nothing to do."""
    seed = resumed(pipeline, results, approved=approved, feedback=feedback)
    place = stand(pipeline, seed, "r3")
    assert place.failure is None
    assert 0 <= place.at <= len(pipeline)
    assert waiting_at(pipeline, seed) is None or pipeline[place.at].kind == APPROVAL
    assert is_over(pipeline, seed) is (place.at == len(pipeline) or pipeline[place.at].kind in LAST)
