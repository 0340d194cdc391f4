"""The configuration: what each kind of value takes, what is said about the rest, and which layer wins."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orange.core import config
from orange.core.checks import Check
from orange.core.config import Origin
from orange.core.config_commands import command_bearing, fingerprint, withheld
from orange.core.config_edit import assign
from orange.core.config_schema import BY_NAME, DESCRIPTIONS, KEYS, json_schema
from orange.core.config_view import rows
from orange.core.problems import InvalidInput, NewerFormat, Problem
from orange.core.settings import AgentSettings, Settings

#: The example of the product's contract, as it stands there.
EXAMPLE = b"""
agent: claude                      # the default agent; `command` and `script` need no account
model: null
effort: null
mode: autopilot                    # which human gates pipelines have
base: null                         # null: the remote's default branch, else the branch current at init
publish: merge                     # merge | branch | pr | none
publish_push: false
publish_templates: {commit: null, pr_title: null, pr_body: null}
tasks: {default_status: pending}
dependencies: {cancelled_satisfies: false}
dispatch: {mode: parallel}
archive: {after: 14d}
agents:
  command: {run: "bash {prompt_file}"}      # {prompt_file}, {workspace}, {task} are filled in safely
  claude: {args: [], env: {}, options: {}, mode: headless, fallback: null}
limits:
  max_agents: 3                    # U: the machine
  per_project: null
  per_agent: {}
  attempts: 3
  consecutive_failures: 3
  stall: 10m
  run: 2h
  same_failure: 3
  children: 20
  depth: 3
  descendants: 50
  spawns_per_minute: 6
budget: {minutes: null, tokens: null, usd: null, per_day: {}}
review: {by: human, max_rounds: 2, require_approval_for: [], open: null}      # by: human | agent | both | none
branches: {pattern: "orange/{name}-{id}", hierarchical: false}
workspaces:
  root: null
  size: 8
  copy: [.env]
  link: []
  ports: 0
  network: host
  writable: []
  isolation: worktree              # none | worktree | sandbox | container
  container: {engine: podman, image: null, memory: null, cpus: null}
  hooks: {after_create: null, before_run: null, after_run: null, before_remove: null, timeout: 60s}
checks: []                         # - {name: tests, kind: test, run: "pytest -q"}
checks_required: false             # a task without passing checks cannot be done
auto_commit: true                  # commit what an agent leaves uncommitted
rules: []
environment: {command: null}
queue: {legacy: true}
notify: {command: null}            # U
webhooks: []                       # - {url, events, secret_ref}
daemon: {poll: 2s, port: 7777}     # U
"""


def problems(text: str) -> tuple[Problem, ...]:
    """Read a project's file and return everything said about it."""
    raw, found = config.read(text.encode(), "config.yaml")
    return (*found, *config.layer(raw, {}, {}, {})[2])


def effective(project: str = "", user: str = "", **flags: object) -> Settings:
    """Layer two good files and flags."""
    raws = [config.read(text.encode(), name)[0] for text, name in ((project, "config.yaml"), (user, "user.yaml"))]
    return config.layer(raws[0], raws[1], {}, flags)[0]


def test_example_is_understood_and_changes_nothing() -> None:
    """The contract's own example is a valid user file and says what the defaults are."""
    raw, found = config.read(EXAMPLE, "user.yaml")
    assert not found
    assert {setting.key.name for setting in raw.values()} >= {
        key.name for key in KEYS if "*" not in key.name and "per_day" not in key.name and key.name != "format"
    }
    layered, _, found = config.layer({}, raw, {}, {})
    assert not found
    built_in = config.layer({}, {}, {}, {})[0]
    assert layered == replace(built_in, agents={**built_in.agents, "claude": AgentSettings()})


def test_nothing_set_gives_the_declared_defaults() -> None:
    """An absent file, an empty one and one of comments are all the defaults."""
    for text in (b"", b"# nothing\n", b"limits:\n", b"---\n"):
        raw, found = config.read(text, "config.yaml")
        assert (dict(raw), found) == ({}, ())
    layered = config.layer({}, {}, {}, {})[0]
    assert layered.limits == Settings().limits
    assert layered.agents["command"].run == "bash {prompt_file}"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("agent: [a]", "agent: expected an agent's name such as claude, found a list"),
        ("agent:", "agent: expected an agent's name such as claude, found nothing"),
        ("agent: ../x", "agent: expected an agent's name such as claude, found '../x'"),
        ("mode: auto", "mode: expected one of autopilot, supervised, collaborative, review_only, found 'auto'"),
        ("publish_push: maybe", "publish_push: expected true or false, found 'maybe'"),
        ("publish_push: 1", "publish_push: expected true or false, found '1'"),
        (
            'publish_templates: {commit: "{titel}"}',
            (
                "publish_templates.commit: expected a text that names no other variables than {title}, {id}, {name}, "
                "{type}, {kind}, {ref}, {branch}, {base}, {context}, {handoff}, or null, found '{titel}'"
            ),
        ),
        ("base: --all", "base: expected a branch name, or null, found '--all'"),
        ("base: a..b", "base: expected a branch name, or null, found 'a..b'"),
        ("limits: {attempts: many}", "limits.attempts: expected a whole number of 1 or more, found 'many'"),
        ("limits: {attempts: 0}", "limits.attempts: expected a whole number of 1 or more, found '0'"),
        ("limits: {attempts: 1e5}", "limits.attempts: expected a whole number of 1 or more, found '1e5'"),
        (
            "limits: {per_agent: {claude: x}}",
            "limits.per_agent.claude: expected a whole number of 0 or more, found 'x'",
        ),
        ("limits: 3", "limits: expected `key: value` lines"),
        ("budget: {usd: 5€}", "budget.usd: expected a number of 0 or more, or null, found '5€'"),
        (
            "limits: {stall: 10}",
            "limits.stall: expected a duration of 1s or more such as 90s, 10m, 2h or 14d, found '10'",
        ),
        ("limits: {run: 0s}", "limits.run: expected a duration of 1s or more such as 90s, 10m, 2h or 14d, found '0s'"),
        (
            "archive: {after: 2w}",
            "archive.after: expected a duration of 1s or more such as 90s, 10m, 2h or 14d, found '2w'",
        ),
        ("workspaces: {copy: .env}", "workspaces.copy: expected a list of paths inside the repository, found '.env'"),
        (
            "workspaces: {copy: [/etc/passwd]}",
            "workspaces.copy: expected a list of paths inside the repository, found '/etc/passwd'",
        ),
        (
            "workspaces: {link: [a/../../b]}",
            "workspaces.link: expected a list of paths inside the repository, found 'a/../../b'",
        ),
        ("workspaces: {ports: 101}", "workspaces.ports: expected a whole number from 0 to 100, found '101'"),
        ("checks: pytest", "checks: expected a list of `key: value` mappings, found 'pytest'"),
        ("checks: [{name: t}]", "checks: expected run"),
        (
            "checks: [{run: t, name: a b}]",
            "checks.name: expected a short name of letters, digits, - and _, found 'a b'",
        ),
        ("checks: [{run: t, name: a, kind: x}]", "checks.kind: expected one of test, lint, build, coverage, found 'x'"),
        ("checks: [{run: t, name: a}, {run: u, name: a}]", "checks: two are called a"),
        ("rules: [{name: a, lines: 5}]", "rules: expected then"),
        (
            "rules: [{name: a, then: reject}]",
            "rules: a rule needs a condition: lines, files, paths, coverage_drop, failed_checks",
        ),
        (
            "rules: [{name: a, then: stop, lines: 5}]",
            "rules.then: expected one of require_human, escalate, reject, found 'stop'",
        ),
        (
            "rules: [{name: a, then: reject, lines: 0}]",
            "rules.lines: expected a whole number of 1 or more, or null, found '0'",
        ),
        ("rules: [{name: a, then: reject, lines: 1}, {name: a, then: reject, files: 1}]", "rules: two are called a"),
        ("checks: [{run: t, name: a, min: 80}]", "checks: min is for checks of kind coverage"),
        (
            "checks: [{run: t, name: a, timeout: soon}]",
            "checks.timeout: expected a duration of 1s or more such as 90s, 10m, 2h or 14d, found 'soon'",
        ),
        (
            "agents: {Claude: {run: x}}",
            "agents.Claude: expected an agent's name of lower-case letters, digits, - and _, found 'Claude'",
        ),
        ("agents: {c: {env: {A-B: x}}}", "agents.c.env.A-B: expected the name of an environment variable, found 'A-B'"),
        ("agents: {c: {mode: x}}", "agents.c.mode: expected one of headless, interactive, found 'x'"),
        ("webhooks: [{url: ftp://x}]", "webhooks.url: expected an http or https address, found 'ftp://x'"),
        (
            "webhooks: [{url: https://x, secret_ref: x}]",
            "webhooks.secret_ref: expected env:NAME or vault://mount/path#field, or null, found 'x'",
        ),
        ("agent: a\nagent: b", "agent is set twice"),
        ("agent: &x a", "anchors and aliases (& and *) are not read: write the value out"),
        ("agent: !!python/name:os.system x", "tags (!) are not read: write the plain value"),
        ("- a", "expected `key: value` lines at the top"),
        ("a: b: c", "the YAML cannot be read: mapping values are not allowed in this context"),
        ("? [a]\n: b", "a key must be a word"),
        ("agent: a\n---\nagent: b", "the file holds more than one YAML document"),
        ("agents: {a: {options: {b: " + "[" * 15 + "]" * 15 + "}}}", "the values are nested deeper than 12 levels"),
        ("*: 1", "the YAML cannot be read: did not find expected alphabetic or numeric character"),
        ('"*": 1', "unknown key *"),
    ],
)
def test_bad_values_are_named_with_what_was_expected(line: str, expected: str) -> None:
    """A value that its key does not take is one problem, and says what was expected and what was found."""
    said = [problem.message for problem in problems(line)]
    assert [message for message in said if "does not act on" not in message] == [expected]


@pytest.mark.parametrize("pattern", ["work", "{name}", "orange-tasks", "-{id}", "{id} x", "{id}/{what}", "a..{id}"])
def test_branch_patterns_give_every_task_its_own_safe_branch(pattern: str) -> None:
    """A pattern without the id, or with unsafe characters, is refused."""
    (problem,) = problems(f'branches: {{pattern: "{pattern}"}}')
    assert problem.message.startswith("branches.pattern: expected a branch name")


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("agnet: x", "did you mean agent?"),
        ("limits: {stal: 1m}", "did you mean limits.stall?"),
        ("max_rounds: 3", "did you mean review.max_rounds?"),
        ("zzzzzz: 3", "the keys here are format, agent, model,"),
        ("checks: [{name: a, run: b, knd: test}]", "did you mean checks.kind?"),
        ("agents: {claude: {modle: x}}", "did you mean agents.claude.mode?"),
    ],
)
def test_unknown_keys_are_problems_with_the_nearest_name(key: str, hint: str) -> None:
    """An unknown key is a problem that guesses what was meant."""
    (problem,) = problems(key)
    assert problem.message.startswith("unknown key ")
    assert problem.hint.startswith(hint)


def test_problems_name_file_and_line() -> None:
    """A problem points at the line of the key, also deep inside."""
    found = problems("agent: claude\n\nlimits:\n  # why\n  stall: soon\nchecks:\n- name: a\n  run: b\n  kind: x\n")
    assert [(problem.path, problem.line) for problem in found] == [("config.yaml", 5), ("config.yaml", 9)]


def test_unreadable_bytes_are_a_problem() -> None:
    """Bytes that are not UTF-8, and a file too large, are problems and count as empty."""
    for text, message in ((b"agent: a\nmodel: \xff", "the file is not UTF-8"), (b"#" * 300_000, "the file is larger")):
        raw, (problem,) = config.read(text, "config.yaml")
        assert not raw
        assert problem.message.startswith(message)


def test_bad_value_leaves_the_others_in_force() -> None:
    """One bad value neither hides the good ones nor reaches the settings."""
    found = effective("limits: {stall: soon, attempts: 7}\nagent: codex\nchecks: [{name: a}, {name: b, run: c}]")
    assert (found.limits.stall, found.limits.attempts, found.agent) == (600, 7, "codex")
    assert found.checks == (Check("b", "c"),)


@pytest.mark.parametrize("key", [key.name for key in KEYS if key.user_only])
def test_keys_of_the_user_are_refused_from_a_project(key: str) -> None:
    """What belongs to the machine cannot be set by a repository, and the user's own value stays."""
    section, word = key.split(".")
    value = {"poll": "9s", "command": "say", "writable": "[/x]"}.get(word, "9")
    text = f"{section}: {{{word}: {value}}}"
    (problem,) = problems(text)
    assert problem.message == f"{key} is the user's alone: a project cannot set it"
    user, _ = config.read(text.encode(), "user.yaml")
    project, _ = config.read(text.replace("9", "8").encode(), "config.yaml")
    assert config.layer(project, user, {}, {})[0] == config.layer({}, user, {}, {})[0] != Settings()


def test_newer_format_is_refused() -> None:
    """A file of a newer format is not read by guesswork."""
    with pytest.raises(NewerFormat):
        config.read(b"format: 2\nfuture: {}\n", "config.yaml")
    assert not problems("format: 1")


def test_layers_win_in_order_and_say_so() -> None:
    """Flags beat the environment, that beats the project, that beats the user, that beats the defaults."""
    user, _ = config.read(b"agent: codex\nmodel: m\nreview: {by: both}\nlimits: {per_agent: {a: 1, b: 1}}", "/u.yaml")
    project, _ = config.read(b"agent: gemini\n\nreview: {by: agent}\nlimits: {per_agent: {b: 2}}", "config.yaml")
    environment = {"FEATURE_PRD_AUTO_APPROVE_REVIEW": "true"}
    found, sources, _ = config.layer(project, user, environment, {"agent": "script", "limits.attempts": 5})
    assert (found.agent, found.model, found.review.by, found.limits.attempts) == ("script", "m", "none", 5)
    assert found.limits.per_agent == {"a": 1, "b": 2}
    assert {str(sources[name]) for name in ("agent", "model", "review.by", "mode", "limits.per_agent.b")} == {
        "flag", "user /u.yaml:2", "environment FEATURE_PRD_AUTO_APPROVE_REVIEW", "default", "project config.yaml:4",
    }  # fmt: skip
    assert config.layer(project, user, {"FEATURE_PRD_AUTO_APPROVE_REVIEW": "false"}, {})[0].review.by == "agent"


def test_null_in_a_stronger_layer_takes_a_value_back() -> None:
    """Null is a value: a project can undo what the user set."""
    assert effective("model: null", "model: m").model is None
    assert effective("publish_templates: {commit: null}", "publish_templates: {commit: x}").publish_templates == {}


def test_scalars_stay_what_was_written() -> None:
    """Texts are texts whatever YAML thinks of them; options keep what JSON would make of plain scalars."""
    found = effective(
        "model: 1e5\neffort: no\nagents:\n  x:\n    args: [1.0, yes, 2026-11-20]\n"
        "    options: {a: 1, b: '1', c: true, d: [0.5], e: null, f: 012}\n"
    )
    assert (found.model, found.effort) == ("1e5", "no")
    assert found.agents["x"].args == ("1.0", "yes", "2026-11-20")
    assert found.agents["x"].options == {"a": 1, "b": "1", "c": True, "d": [0.5], "f": "012"}


def test_flags_are_validated_too() -> None:
    """A flag is held to the same rules as a file."""
    _, _, found = config.layer({}, {}, {}, {"limits.attempts": "x"})
    assert [problem.message for problem in found] == [
        "limits.attempts: expected a whole number of 1 or more, found 'x'"
    ]


@settings(max_examples=60)
@given(st.one_of(st.binary(max_size=80), st.text("abl:{}[]-&*!|>?%@`'\"#\n ,1\t\u00e9\0", max_size=60).map(str.encode)))
def test_no_text_makes_the_reader_fail(text: bytes) -> None:
    """Whatever a file holds, reading it gives settings and problems, never an error."""
    raw, _ = config.read(text, "config.yaml")
    config.layer(raw, {}, {}, {})


COMMANDS = (
    "checks: [{name: t, run: make test}]\nagents: {c: {run: ./a, args: [-x], env: {A: b}, options: {o: 1}}}\n"
    "environment: {command: direnv}\nreview: {open: code .}\nworkspaces: {hooks: {after_create: npm ci}, size: 3}\n"
)


def test_commands_are_listed_and_hashed_for_trust() -> None:
    """Everything a repository could run here is listed by name, and any change of it changes the fingerprint."""
    raw, _ = config.read(COMMANDS.encode(), "config.yaml")
    found, sources, _ = config.layer(raw, {}, {}, {})
    listed = command_bearing(found, sources)
    assert set(listed) == {
        "checks.t", "agents.c.run", "agents.c.args", "agents.c.env.A", "agents.c.options.o", "environment.command",
        "review.open", "workspaces.hooks.after_create",
    }  # fmt: skip
    assert fingerprint(listed) == fingerprint(dict(reversed(tuple(listed.items()))))
    for name in listed:
        assert fingerprint({**listed, name: "other"}) != fingerprint(listed)
    assert fingerprint({}) is None


def test_commands_of_the_user_need_no_trust() -> None:
    """What the user's own file or the defaults say is not the repository's doing."""
    user, _ = config.read((COMMANDS + "notify: {command: say}").encode(), "user.yaml")
    found, sources, _ = config.layer({}, user, {}, {})
    assert command_bearing(found, sources) == {}
    assert "notify.command" in command_bearing(found)
    assert "agents.command.run" in command_bearing(found)


def test_withheld_settings_carry_no_command() -> None:
    """Without trust a project keeps its harmless settings and loses exactly its commands."""
    raw, _ = config.read(COMMANDS.encode(), "config.yaml")
    found, sources, _ = config.layer(withheld(raw), {}, {}, {})
    assert command_bearing(found, sources) == {}
    assert found.workspaces.size == 3


def test_every_key_is_described_and_reaches_the_settings() -> None:
    """Each key has a sentence, and each has a place in the settings that `show` finds."""
    assert all(about.endswith((".", "`.")) for about in DESCRIPTIONS.values())
    shown = {row["key"] for row in rows(*config.layer({}, {}, {}, {})[:2])}
    assert shown >= {name for name in BY_NAME if "*" not in name}


def test_rows_show_values_as_a_file_would_say_them() -> None:
    """What is shown can be written back, with where it came from."""
    raw, _ = config.read(COMMANDS.encode() + b"limits: {stall: 90s, per_agent: {claude: 2}}", "config.yaml")
    shown = {row["key"]: row for row in rows(*config.layer(raw, {}, {}, {})[:2])}
    assert shown["limits.stall"] == {"key": "limits.stall", "value": "90s", "source": "project config.yaml:6"}
    assert shown["limits.per_agent.claude"]["value"] == 2
    assert shown["agents.c.env.A"]["value"] == "b"
    assert shown["checks"]["value"] == [
        {"name": "t", "run": "make test", "kind": "test", "min": None, "timeout": "10m"}
    ]
    assert json.dumps(list(shown.values()))


def test_schema_describes_every_key() -> None:
    """The schema for editors has each key, its bounds and words, and allows nothing else."""
    schema = json_schema()
    assert json.loads(json.dumps(schema)) == schema
    for name, key in BY_NAME.items():
        node: object = schema
        for part in name.split("."):
            assert isinstance(node, dict)
            node = node["additionalProperties"] if part == "*" else node["properties"][part]
        assert isinstance(node, dict)
        assert str(node["description"]).startswith(key.about)
    assert schema["additionalProperties"] is False


FILE = """# mine
agent: claude  # why
limits:
  # patience
  stall: 5m

workspaces: {size: 3}
review:
checks:
  - name: t
    run: |
      make test
# the end
"""


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("agent", "codex", "agent: claude  # why", "agent: codex  # why"),
        ("limits.stall", "10m", "stall: 5m", "stall: 10m"),
        ("limits.attempts", "5", "  stall: 5m\n", "  stall: 5m\n  attempts: 5\n"),
        ("workspaces.size", "4", "{size: 3}", "{size: 4}"),
        ("workspaces.ports", "2", "{size: 3}", "{size: 3, ports: 2}"),
        ("workspaces.hooks.timeout", "9s", "{size: 3}", "{size: 3, hooks: {timeout: 9s}}"),
        ("review.by", "none", "review:\n", "review: {by: none}\n"),
        ("model", "a: b", "# the end\n", '# the end\nmodel: "a: b"\n'),
        ("model", "yes", "# the end\n", '# the end\nmodel: "yes"\n'),
        ("base", "null", "# the end\n", "# the end\nbase: null\n"),
        ("budget.per_day.usd", "2.5", "# the end\n", "# the end\nbudget:\n  per_day:\n    usd: 2.5\n"),
        ("workspaces.copy", "[.env, a b]", "{size: 3}", '{size: 3, copy: [".env", "a b"]}'),
        ("checks", "[]", "  - name: t\n    run: |\n      make test\n", None),
    ],
)
def test_setting_a_key_changes_only_its_characters(key: str, value: str, old: str, new: str | None) -> None:
    """Comments, order and everything else in the file survive the setting of one key."""
    changed = assign(FILE, key, value)
    if new is not None:
        assert changed == FILE.replace(old, new)
    before, after = config.read(FILE.encode(), "")[0], config.read(changed.encode(), "")[0]
    assert set(after) - set(before) <= {key}
    assert key in after


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("agnet", "x", "agnet: unknown key agnet (did you mean agent?)"),
        ("limits", "x", "limits: expected `key: value` lines"),
        ("limits.attempts", "0", "limits.attempts: expected a whole number of 1 or more, found '0'"),
        ("checks", "[", "checks: the YAML cannot be read: did not find expected node content"),
    ],
)
def test_setting_what_cannot_be_is_refused(key: str, value: str, said: str) -> None:
    """A wish that makes no sense is refused with the reader's own words and changes nothing."""
    with pytest.raises(InvalidInput) as refused:
        assign(FILE, key, value)
    assert str(refused.value).startswith(said)


def test_setting_in_a_broken_file_is_refused() -> None:
    """A file that cannot be read is not written to."""
    with pytest.raises(InvalidInput, match="mend that first"):
        assign("a: b: c", "agent", "x")


_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)


@settings(max_examples=40)
@given(_TEXTS.filter(lambda text: text.strip() and text != "null"), st.sampled_from([FILE, "", "model: x", "{}"]))
def test_any_text_survives_being_set(value: str, text: str) -> None:
    """A text set comes back as it was given, whatever stands in it, or the wish is refused."""
    try:
        changed = assign(text, "model", value)
    except InvalidInput:
        assert text == "{}" or not value.isprintable()
        return
    assert config.layer(config.read(changed.encode(), "")[0], {}, {}, {})[0].model == value


def test_origins_are_ordered() -> None:
    """The order of the origins is the order of precedence."""
    assert list(Origin) == [Origin.DEFAULT, Origin.USER, Origin.PROJECT, Origin.ENVIRONMENT, Origin.FLAG]


@pytest.mark.parametrize(
    ("users", "projects", "effective"),
    [
        (None, "worktree", "worktree"),
        ("worktree", "sandbox", "sandbox"),
        ("sandbox", "sandbox", "sandbox"),
        ("sandbox", "worktree", "sandbox"),
        ("sandbox", "none", "sandbox"),
    ],
)
def test_a_project_cannot_loosen_the_users_isolation(users: str | None, projects: str, effective: str) -> None:
    """A cloned repository may ask for more isolation than the user does, never for less; what it asked is named."""
    user = config.read(f"workspaces: {{isolation: {users}}}".encode() if users else b"", "user.yaml")[0]
    project = config.read(f"workspaces: {{isolation: {projects}}}".encode(), "config.yaml")[0]
    settings, _, problems = config.layer(project, user, {}, {})
    assert settings.workspaces.isolation == effective
    loosened = [problem for problem in problems if "cannot loosen" in problem.message]
    assert bool(loosened) is (effective != projects)
