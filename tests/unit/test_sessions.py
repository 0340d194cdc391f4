"""What sessions and their supervisors compute: names, paths, environments, clocks, commands, scripts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orange.adapters.runtimes import command, registry, script, scripting
from orange.adapters.runtimes.base import Broken
from orange.adapters.runtimes.scripting import BadScript, Instruction
from orange.adapters.sessions import address, keyboard
from orange.core import ending, environment, runfiles
from orange.core.ending import Ending, Subject
from orange.core.ports import RunSpec
from orange.core.problems import AgentUnusable, InvalidInput, SessionFailed
from orange.core.settings import AgentSettings
from orange.runner.job import Job
from orange.runner.patience import STALLED, TIMEOUT, Patience

SPEC = RunSpec(
    run="k3f9x2ab-1", task="k3f9x2ab", name="demo", epoch=1, attempt=1, agent="command", model=None, effort=None,
    workspace="/a b/$(touch f)", branch=None, base="main", title="Demo", prompt="", task_file="", ports=(), env={},
    agent_settings=AgentSettings(), stall=0, limit=0, auto_commit=True, before_run=None, after_run=None, hook_timeout=1,
)  # fmt: skip


# -- names and paths


def test_a_socket_lies_in_the_given_folder_where_its_path_fits() -> None:
    """One name for each clone; one byte too much leads to a short private folder."""
    one, other = address.socket_path("/a/.git", "/run/x", 7), address.socket_path("/b/.git", "/run/x", 7)
    assert one != other
    assert one.startswith("/run/x/")
    name = one.removeprefix("/run/x")
    for extra, fits in ((107 - len(name), True), (108 - len(name), False)):
        folder = "/" + "d" * (extra - 1)
        expected = folder + name if fits else f"/tmp/orange-7{name}"
        assert address.socket_path("/a/.git", folder, 7) == expected


@given(st.text(max_size=40))
@settings(max_examples=60)
def test_a_safe_name_is_exact_and_nothing_else(name: str) -> None:
    """What passes consists of a-z, 0-9 and dashes, does not look like a flag, and becomes an exact target."""
    if runfiles.is_safe(name):
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
        assert not name.startswith("-")
        assert address.exact(name) == f"={name}"
    else:
        with pytest.raises(SessionFailed):
            address.exact(name)


def test_an_argument_never_ends_a_tmux_command() -> None:
    """A semicolon at the end is taken as itself."""
    assert [address.argument(text) for text in ("a", "a;", "a;b", ";")] == ["a", "a\\;", "a;b", "\\;"]


def test_a_listing_is_read_by_its_first_spaces() -> None:
    """A stranger's session with spaces in its name is one session."""
    rows = address.listed(["$0 7 12 demo", "$1 7 13 a b", ""])
    assert [(row.session, row.server, row.child, row.name) for row in rows] == [
        ("$0", 7, 12, "demo"),
        ("$1", 7, 13, "a b"),
    ]


@pytest.mark.parametrize(
    ("said", "gone", "again"),
    [
        ("no server running on /x", True, True),
        ("error connecting to /x (No such file or directory)", True, True),
        ("error connecting to /x (Connection refused)", True, True),
        ("error connecting to /x (Permission denied)", False, False),
        ("server exited unexpectedly", False, True),
        ("lost server", False, True),
        ("protocol version mismatch (client 8, server 7)", False, False),
    ],
)
def test_only_the_absence_of_a_server_means_that_nothing_is_there(said: str, gone: bool, again: bool) -> None:
    """Every other trouble is unknown; what was just ending may be tried again."""
    assert address.no_server([said]) is gone
    assert address.passing([said]) is again


def test_text_to_type_carries_no_commands() -> None:
    """Control characters and escapes are gone, lines and tabs stay."""
    assert keyboard.printable("\n\x1b[201~a\tb\nc\x03\x7f\x9bd\n") == "[201~a\tb\ncd"


# -- the environment


def test_an_environment_from_within_is_made_one_from_outside() -> None:
    """What says inside goes, wherever a value came from; logins, homes and everything else of the user's stay."""
    inside = ["TMUX", "TMUX_PANE", "CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "CODEX_SANDBOX", "GEMINI_CLI", "OPENCODE"]
    git = ["GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"]
    kept = [
        "PATH",
        "HOME",
        "GEMINI_API_KEY",
        "CODEX_HOME",
        "CLAUDE_CODE_OAUTH_TOKEN",
        "GIT_AUTHOR_NAME",
        "ANTHROPIC_API_KEY",
    ]
    given_ = dict.fromkeys([*inside, *git, *kept, "ORANGE_RUN", "ORANGE_TASK"], "x")
    assert environment.outside(given_) == dict.fromkeys(kept, "x")


# -- patience


def _patience(**limits: float) -> Patience:
    return Patience(0.0, limit=limits.get("limit", 0), stall=limits.get("stall", 0), ticks_per_second=100)


def test_silence_is_counted_from_the_last_word_or_work() -> None:
    """Words and work both begin the clock anew; the timers of a hung program are no work."""
    clock = _patience(stall=10)
    clock.sample(1, 50)
    clock.heard(4)
    clock.sample(5, 50)
    assert clock.verdict(5) is None
    for now, ticks in ((9, 51), (13, 52)):
        clock.sample(now, ticks)
        assert clock.verdict(now) is None
    clock.sample(14, 53)
    assert clock.verdict(14) == STALLED


def test_work_counts_whatever_happens_to_its_process() -> None:
    """A count that shrinks, because a child ended, is no work and no fault; growth after it is."""
    clock = _patience(stall=10)
    clock.sample(1, 500)
    clock.sample(6, 100)
    clock.sample(10, 150)
    clock.sample(19, 151)
    assert clock.verdict(19) is None
    clock.sample(20, 152)
    assert clock.verdict(20) == STALLED


def test_the_limit_counts_everything_but_parked_time() -> None:
    """Speaking does not extend it; waiting for somebody does, and stops the other clock too."""
    clock = _patience(limit=20, stall=10)
    clock.parked(8)
    assert clock.verdict(19) is None
    clock.parked(16)
    clock.sample(17, 0)
    clock.heard(30)
    assert clock.verdict(35) is None
    assert clock.verdict(36) == TIMEOUT


def test_limits_of_nothing_never_end_anything() -> None:
    """Without limits there is no verdict, and still a time to look again."""
    clock = _patience()
    clock.sample(1e9, 0)
    assert clock.verdict(1e9) is None
    assert clock.due > 1e9


@given(stall=st.floats(0.1, 1e5), now=st.floats(0, 1e6))
@settings(max_examples=50)
def test_looks_are_neither_too_often_nor_too_rare(stall: float, now: float) -> None:
    """Between half a second and five."""
    clock = _patience(stall=stall)
    clock.sample(now, 0)
    assert 0.49 <= clock.due - now <= 5.01
    assert not clock.wants_sample(now)
    assert clock.wants_sample(now + 5.01)


# -- agents


@pytest.mark.parametrize(
    ("configured", "line"),
    [
        ("bash {prompt_file}", 'bash "${1}"'),
        ('bash "{prompt_file}"', 'bash "${1}"'),
        ("bash '{prompt_file}'", "bash ''\"${1}\"''"),
        ("x --in={workspace}/y {task}", 'x --in="${2}"/y "${3}"'),
        ("echo ${HOME} ${task}", "echo ${HOME} ${task}"),
        ("awk '{ print }' {a,b} \\\"{task}\\\"", 'awk \'{ print }\' {a,b} \\""${3}"\\"'),
        ("echo 'it''s \\' {task}", "echo 'it''s \\' \"${3}\""),
        ('echo "don\'t {task}" {task}', 'echo "don\'t ${3}" "${3}"'),
    ],
)
def test_placeholders_become_quoted_parameters(configured: str, line: str) -> None:
    """Each is one word wherever it stands; the shell's own braces and variables stay."""
    assert command.shell_line(configured) == line


def test_an_unknown_placeholder_is_refused() -> None:
    """It names the key, what is known, and what to do about braces of the shell's own."""
    with pytest.raises(InvalidInput, match=r"agents\.command\.run: \{prompt\} .*\{prompt_file\}.*space"):
        command.shell_line("bash {prompt}")


def test_the_command_agent_passes_paths_as_data() -> None:
    """What is in a path never reaches the shell's text."""
    settings_ = AgentSettings(run="bash {prompt_file} {workspace}", env={"A": "b"})
    made = command.command(replace(SPEC, agent_settings=settings_), "/p;rm -rf x/prompt.md")
    line = 'bash "${1}" "${2}"'
    assert made.argv == ("sh", "-c", line, "orange", "/p;rm -rf x/prompt.md", "/a b/$(touch f)", "k3f9x2ab")
    assert made.env == {"A": "b"}


def test_an_unset_command_says_what_is_missing() -> None:
    """In one sentence, wherever it is asked."""
    for run in (None, "  ", "bash {what}"):
        found = command.detect(AgentSettings(run=run), lambda _program: "/bin/sh")
        assert not found.usable
        assert "agents.command.run" in str(found.reason)
    assert command.detect(AgentSettings(run="true"), lambda _program: "/bin/sh").usable
    assert not command.detect(AgentSettings(run="true"), lambda _program: None).usable
    with pytest.raises(InvalidInput):
        command.command(SPEC, "/p")


def test_the_registry_knows_the_built_in_agents() -> None:
    """Each under its own name; an unknown one is refused, with those that are known."""
    assert {"command", "script"} <= set(registry.RUNTIMES)
    assert all(name == runtime.name for name, runtime in registry.RUNTIMES.items())
    assert script.detect(AgentSettings(), lambda _program: None).usable
    assert registry.command(replace(SPEC, agent="script"), "/p").argv[1] == "-P"
    with pytest.raises(AgentUnusable, match=r"'nobody'.*command, .*script"):
        registry.command(replace(SPEC, agent="nobody"), "/p")


def test_a_broken_agent_from_elsewhere_is_only_unusable() -> None:
    """It is listed with its reason, and refuses to run."""
    broken = Broken("other", "no module named other")
    assert "no module named other" in str(broken.detect(AgentSettings(), lambda _program: None).reason)
    with pytest.raises(AgentUnusable):
        broken.command(SPEC, "/p")


# -- scripts


def test_a_script_is_the_first_block_of_its_kind() -> None:
    """Indented fences inside belong to it; a text without one has none."""
    block = "say hello\ncreate a <<\n  ```script\n  say inner\n  ```\n>>\n"
    text = f"## Context\n\n```script\n{block}```\nrest".replace("\n", "\r\n")
    assert scripting.script_in(text) == block
    assert scripting.script_in("```sh\nsay no\n```") is None


def test_instructions_are_read_line_by_line() -> None:
    """Arguments, texts below, texts between marks, attempts and comments."""
    found = scripting.parse(
        "# a comment\nwrite a.txt one\n\nwrite b.txt\n  two\n\n    three\nattempt 2: fail 3 no luck\nfail-once\n"
        'create c "C" --type bug <<\n  ## Context\n\n  deep\n>>\ncrash'
    )
    assert found == [
        Instruction(2, "write", "a.txt one"),
        Instruction(4, "write", "b.txt", "two\n\n  three\n"),
        Instruction(8, "fail", "3 no luck", attempt=2),
        Instruction(9, "fail", "", attempt=1),
        Instruction(10, "create", 'c "C" --type bug', "## Context\n\ndeep\n"),
        Instruction(15, "crash", ""),
    ]


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [("say x\nsing y", 2, "'sing'"), ("write", 1, "PATH TEXT"), ("create a <<\n  x", 1, ">>"), ("attempt 1:", 1, "''")],
)
def test_a_bad_script_names_its_line(text: str, line: int, word: str) -> None:
    """Nothing of it is carried out: it is read before anything is done."""
    with pytest.raises(BadScript, match=f"line {line} of the script: .*{word}"):
        scripting.parse(text)


# -- reports


def test_terminal_output_becomes_text() -> None:
    """Escapes go, what was overwritten goes, other control characters become visible."""
    said = b"\x1b[1;31mred\x1b[0m\r\n10%\r50%\rdone\r\n\x1b]0;title\x07bell\x07 \xff\r\n\r\n"
    assert ending.readable(said) == "red\ndone\nbell\\x07 \ufffd"


def test_a_report_stays_what_it_is_whatever_it_quotes() -> None:
    """Output that contains fences, and titles with line ends, break out of nothing."""
    job = _job(title="evil\n# heading")
    failed = Ending("failed", "it\nfailed", 1, output=b"````\n# not a heading\n````")
    text = ending.error_text("/runs/x", Subject.of(job), failed)
    assert text.startswith("# it failed\n")
    assert "`````text\n````\n# not a heading\n````\n`````" in text
    assert "(evil # heading)" in text


def test_only_failures_have_a_signature() -> None:
    """Being stopped and finishing are none; equal failures are equal."""
    assert ending.signature(Ending("finished", "done")) is None
    assert ending.signature(Ending("stopped", "told to")) is None
    one = ending.signature(Ending("failed", "ended with 1", 1, output=b"error at /a/b:12"))
    assert one == ending.signature(Ending("failed", "ended with 1", 1, output=b"error at /c/d:99"))
    assert one != ending.signature(Ending("failed", "ended with 1", 1, output=b"cannot connect"))


def test_what_was_said_before_a_crash_is_not_what_failed() -> None:
    """Crashes of one kind look the same, whatever the agent was saying; another kind does not."""
    one = ending.signature(Ending("crashed", "the session ended", output=b"error: half"))
    assert one == ending.signature(Ending("crashed", "the session ended", output=b"fatal: other"))
    assert one != ending.signature(Ending("crashed", "the supervisor failed"))


def _job(**changes: object) -> Job:
    values: dict[str, Any] = dict.fromkeys(Job._fields)  # the rest is not looked at
    return Job(**{**values, "task": "k3f9x2ab", "run": "k3f9x2ab-1", "workspace": "/w", **changes})
