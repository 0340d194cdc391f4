"""Every setting there is, as one table: name, kind, bounds, and the sentence the documentation shows.

`config` validates with it, the configuration reference and the JSON Schema are generated from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from orange.core import names, references
from orange.core.checks import COVERAGE
from orange.core.config_values import Key, Kind
from orange.core.layout import RECORDS_BRANCH
from orange.core.model import Task
from orange.core.problems import InvalidInput
from orange.core.publication import VARIABLES, is_template
from orange.core.redact import SHAPES
from orange.core.rules import ACTIONS, CONDITIONS

_SLUG = r"[a-z0-9][a-z0-9_-]{0,47}"
_RELATIVE = r"(?!/|~)(?!(.*/)?\.\.(/|$)).+"
_TEMPLATE = "a text that names no other variables than " + ", ".join(f"{{{name}}}" for name in VARIABLES)
_BRANCH = r"(?!-|/|refs/)(?!.*(\.\.|//|@\{|\.lock$|/$))[A-Za-z0-9._/+-]+"


def _no_plain_secret(value: str) -> bool:
    """Whether a variable's value is no secret itself, and no reference with a mistake in it."""
    return references.valid(value) if references.intended(value) else SHAPES.mask(value) == value


def _names_branches(pattern: str) -> bool:
    """Whether a pattern gives every task a safe branch of its own."""
    unique = "{id}" in pattern or "{task_id}" in pattern
    try:
        return unique and names.branch_for(pattern, Task("aaaaaaaa", "t", "t")) != RECORDS_BRANCH
    except InvalidInput:
        return False


def _check_is_sound(check: Mapping[str, object]) -> str | None:
    """Say what of a check contradicts another part of it."""
    if check.get("min") is not None and check.get("kind") != COVERAGE:
        return "min is for checks of kind coverage"
    return None


_CHECK = (
    Key("name", Kind.TEXT, "What the check is called.", pattern=_SLUG, needed=True,
        expected="a short name of letters, digits, - and _"),
    Key("run", Kind.TEXT, "The command, run by `sh -c` in the workspace; exit 0 means passed.", needed=True),
    Key("kind", Kind.WORD, "What it checks.", words=("test", "lint", "build", "coverage")),
    Key("min", Kind.NUMBER, "For kind coverage: the least percentage; the last one that its output names counts.",
        null=True, least=0, most=100),
    Key("timeout", Kind.DURATION, "How long it may take; 10m where it is missing.", least=1),
)  # fmt: skip


def _rule_is_sound(rule: Mapping[str, object]) -> str | None:
    """Say what a rule lacks."""
    if all(rule.get(condition) in {None, ()} for condition in CONDITIONS):
        return f"a rule needs a condition: {', '.join(CONDITIONS)}"
    return None


_RULE = (
    Key("name", Kind.TEXT, "What the rule is called.", pattern=_SLUG, needed=True,
        expected="a short name of letters, digits, - and _"),
    Key("then", Kind.WORD, "What follows: a person approves it; it needs someone now; it goes back to its agent.",
        words=ACTIONS, needed=True),
    Key("lines", Kind.WHOLE, "More lines than this are added and removed.", null=True, least=1),
    Key("files", Kind.WHOLE, "More files than this are touched.", null=True, least=1),
    Key("paths", Kind.TEXTS, "A path is touched that one of these globs matches: `*` within a folder, `**` across "
        "folders, without a `/` in any folder."),
    Key("coverage_drop", Kind.NUMBER, "A coverage check names more points less than this than on what was merged last.",
        null=True, least=0, most=100),
    Key("failed_checks", Kind.WHOLE, "So many attempts at the task, or more, did not pass the checks.", null=True,
        least=1),
)  # fmt: skip

_WEBHOOK = (
    Key("url", Kind.TEXT, "Where events are posted.", pattern=r"https?://\S+", needed=True,
        expected="an http or https address"),
    Key("events", Kind.TEXTS, "Which events, `task.*` for all that begin so; all of them where it is missing."),
    Key("secret_ref", Kind.TEXT, "Where the signing secret is, never the secret itself. Without it nothing is sent.",
        null=True, fits=references.valid, expected=references.EXPECTED),
)  # fmt: skip

#: Every key, in the order of the documentation.
KEYS: tuple[Key, ...] = (
    Key("format", Kind.WHOLE, "The format of this file. An older orange refuses to work with a newer one.", least=1),
    Key("agent", Kind.TEXT, "The agent that runs tasks which name none. `command` and `script` need no account.",
        pattern=_SLUG, expected="an agent's name such as claude"),
    Key("model", Kind.TEXT, "The model given to the agent; null leaves it to the agent.", null=True),
    Key("effort", Kind.TEXT, "The effort given to the agent, for agents that have such a flag.", null=True),
    Key("mode", Kind.WORD, "Which human gates pipelines have.",
        words=("autopilot", "supervised", "collaborative", "review_only")),
    Key("base", Kind.TEXT,
        "The branch that work is cut from and integrated into. Null: the remote's default branch, else the branch that "
        "was current at `orange init`.", null=True, pattern=_BRANCH, expected="a branch name"),
    Key("publish", Kind.WORD, "How finished work leaves its branch, for tasks that do not say.",
        words=("merge", "branch", "pr", "none")),
    Key("publish_push", Kind.FLAG, "Whether `publish: merge` also pushes the base."),
    Key("publish_templates.commit", Kind.TEXT, "Text of the merge commit. `{title}`, `{id}`, `{branch}` and the like "
        "are filled in.", null=True, fits=is_template, expected=_TEMPLATE),
    Key("publish_templates.pr_title", Kind.TEXT, "Title of a pull request. Null: the task's title, as the repository "
        "words its commits.", null=True, fits=is_template, expected=_TEMPLATE),
    Key("publish_templates.pr_body", Kind.TEXT, "Text of a pull request. Null: the task's context and its hand-over.",
        null=True, fits=is_template, expected=_TEMPLATE),
    Key("tasks.default_status", Kind.WORD, "The status of a task created without `--backlog`.",
        words=("pending", "backlog"), field="default_status"),
    Key("dependencies.cancelled_satisfies", Kind.FLAG, "Whether a cancelled blocker counts as done.",
        field="cancelled_satisfies"),
    Key("dispatch.mode", Kind.WORD, "`parallel`: as many tasks as there are slots. `sequential`: one at a time.",
        words=("parallel", "sequential"), field="dispatch_mode"),
    Key("archive.after", Kind.DURATION, "How long finished tasks stay among the others before they are archived.",
        least=1, field="archive_after"),
    Key("agents.*.run", Kind.TEXT,
        "For the agent `command`: the shell command. `{prompt_file}`, `{workspace}` and `{task}` are filled in safely.",
        null=True, command=True),
    Key("agents.*.args", Kind.TEXTS, "Arguments added to the agent's own.", command=True),
    Key("agents.*.env.*", Kind.TEXT, "A variable of the agent's environment: its value, or for a secret where it is: "
        f"{references.EXPECTED}.", command=True, fits=_no_plain_secret,
        expected=f"a text; a secret as {references.EXPECTED}"),
    Key("agents.*.options.*", Kind.FREE, "A setting of the agent's program itself, for its runs here.", command=True),
    Key("agents.*.mode", Kind.WORD, "Whether the agent runs without or with its own screen.",
        words=("headless", "interactive")),
    Key("agents.*.fallback", Kind.TEXT, "The agent that is given new work while this one is rate-limited.", null=True,
        pattern=_SLUG, expected="an agent's name"),
    Key("limits.max_agents", Kind.WHOLE, "Agents at once on this machine, over all projects.", least=0, most=1000,
        user_only=True),
    Key("limits.per_project", Kind.WHOLE, "Agents at once in one project.", null=True, least=0),
    Key("limits.per_agent.*", Kind.WHOLE, "Runs at once of that agent.", least=0),
    Key("limits.attempts", Kind.WHOLE, "Failed attempts before a task is stuck.", least=1),
    Key("limits.consecutive_failures", Kind.WHOLE, "Different tasks failing in a row before dispatch pauses.", least=1),
    Key("limits.stall", Kind.DURATION, "How long a run may show no output, event or work.", least=1),
    Key("limits.run", Kind.DURATION, "How long a run may take; parked time is not counted.", least=1),
    Key("limits.same_failure", Kind.WHOLE, "The same failure, or an unchanged diff, so many times in a row: stuck.",
        least=1),
    Key("limits.children", Kind.WHOLE, "Children one task may be given by agents.", least=0),
    Key("limits.depth", Kind.WHOLE, "How deep agents may nest tasks; a root's children are at depth 1.", least=0),
    Key("limits.descendants", Kind.WHOLE, "Tasks agents may create below one root.", least=0),
    Key("limits.spawns_per_minute", Kind.WHOLE, "Tasks created by agents that may start in a minute.", least=1),
    Key("budget.minutes", Kind.NUMBER, "Agent minutes a task with its subtree may take.", null=True, least=0),
    Key("budget.tokens", Kind.WHOLE, "Tokens a task with its subtree may take.", null=True, least=0),
    Key("budget.usd", Kind.NUMBER, "Dollars a task with its subtree may cost.", null=True, least=0),
    Key("budget.per_day.minutes", Kind.NUMBER, "Agent minutes the project may take in a day.", null=True, least=0),
    Key("budget.per_day.tokens", Kind.NUMBER, "Tokens the project may take in a day.", null=True, least=0),
    Key("budget.per_day.usd", Kind.NUMBER, "Dollars the project may cost in a day.", null=True, least=0),
    Key("review.by", Kind.WORD,
        "Who reviews finished work. FEATURE_PRD_AUTO_APPROVE_REVIEW=true in the environment is `none`.",
        words=("human", "agent", "both", "none")),
    Key("review.max_rounds", Kind.WHOLE,
        "When so many agents' reviews in a row have asked for changes, the task is stuck.", least=1),
    Key("review.require_approval_for", Kind.TEXTS, "Path globs, as in `rules`; what touches one always needs a human."),
    Key("review.open", Kind.TEXT, "The command that `orange task review` runs; null shows the diff in the pager.",
        null=True, command=True),
    Key("branches.pattern", Kind.TEXT, "How task branches are named, from `{name}` and `{id}`.", fits=_names_branches,
        expected="a branch name of letters, digits, . _ / - and {name}, with {id} in it, such as orange/{name}-{id}"),
    Key("branches.hierarchical", Kind.FLAG, "Whether children are cut from, and merged into, their parent's branch."),
    Key("workspaces.root", Kind.TEXT, "The folder that holds the workspaces. Null: `<repo>.workspaces` beside the "
        "repository.", null=True),
    Key("workspaces.size", Kind.WHOLE, "Workspaces kept before the oldest idle one is saved and returned.",
        least=1, most=1000),
    Key("workspaces.copy", Kind.TEXTS, "Ignored files copied from the repository into each workspace.",
        pattern=_RELATIVE, expected="a list of paths inside the repository"),
    Key("workspaces.link", Kind.TEXTS, "Ignored files or folders linked into each workspace.",
        pattern=_RELATIVE, expected="a list of paths inside the repository"),
    Key("workspaces.ports", Kind.WHOLE, "Network ports reserved for each workspace.", least=0, most=100),
    Key("workspaces.isolation", Kind.WORD, "How far an agent is kept from the rest of the machine; "
        "`none`: it works in your own checkout, one task at a time.",
        words=("none", "worktree", "sandbox", "container"), tightens=True),
    Key("workspaces.network", Kind.WORD, "What an agent in a sandbox or container reaches: the machine's network, or "
        "none.",
        words=("host", "none"), tightens=True),
    Key("workspaces.writable", Kind.TEXTS, "Folders outside its workspace that an agent in a sandbox may write, such "
        "as `~/.npm`; those that do not exist are passed over.", user_only=True, pattern=r"(/|~/)(?!(.*/)?\.\.(/|$)).+",
        expected="a list of absolute paths, or of paths that begin with ~/"),
    Key("workspaces.container.engine", Kind.WORD, "The program that runs containers.", words=("podman", "docker")),
    Key("workspaces.container.image", Kind.TEXT, "The image agents run in. It is not fetched: it must be there.",
        null=True, pattern=r"(?!-)\S+", command=True),
    Key("workspaces.container.memory", Kind.TEXT, "The most memory a container may use.", null=True,
        pattern=r"[1-9][0-9]*[bkmg]?", expected="a size such as 4g"),
    Key("workspaces.container.cpus", Kind.TEXT, "The most processors a container may use.", null=True,
        pattern=r"[0-9]+(\.[0-9]+)?", expected="a number such as 2 or 1.5"),
    Key("workspaces.hooks.after_create", Kind.TEXT, "Run once in a new workspace; failing fails the attempt.",
        null=True, command=True),
    Key("workspaces.hooks.before_run", Kind.TEXT, "Run before each agent run; failing fails the attempt.", null=True,
        command=True),
    Key("workspaces.hooks.after_run", Kind.TEXT, "Run after each agent run; failing is logged.",
        null=True, command=True),
    Key("workspaces.hooks.before_remove", Kind.TEXT, "Run before a workspace is returned; failing is logged.",
        null=True, command=True),
    Key("workspaces.hooks.timeout", Kind.DURATION, "How long each hook may take.", least=1),
    Key("checks", Kind.ITEMS, "Commands that must pass on what an agent made, and again on the merged result.",
        items=_CHECK, sound=_check_is_sound, command=True),
    Key("checks_required", Kind.FLAG, "Whether a task without passing checks cannot be done, however it is published."),
    Key("auto_commit", Kind.FLAG, "Whether orange commits what an agent leaves uncommitted."),
    Key("rules", Kind.ITEMS, "Rules on finished work. Where all conditions of one hold, it needs a person, goes back "
        "to its agent, or needs someone now.", items=_RULE, sound=_rule_is_sound),
    Key("environment.command", Kind.TEXT,
        "A command that prints KEY=VALUE lines for this project's agents; the values are never stored.", null=True,
        command=True, field="environment_command"),
    Key("queue.legacy", Kind.FLAG, "Whether the job queue accepts the legacy job types.", field="queue_legacy"),
    Key("notify.command", Kind.TEXT, "A command run when something needs you, or all is done.", null=True,
        user_only=True, command=True, field="notify_command"),
    Key("webhooks", Kind.ITEMS, "Where events are delivered, signed.", items=_WEBHOOK, command=True),
    Key("daemon.poll", Kind.DURATION, "How long the daemon waits for a hint before it looks by itself.", least=1,
        user_only=True),
    Key("daemon.port", Kind.WHOLE, "The port of the dashboard and the API; a free one where it is taken.", least=0,
        most=65535, user_only=True),
)  # fmt: skip

BY_NAME: Mapping[str, Key] = {key.name: key for key in KEYS}
DESCRIPTIONS: Mapping[str, str] = {key.name: key.about for key in KEYS}

#: What the words standing for `*` must look like, by the name up to it.
STAR_NAMES: Mapping[str, tuple[str, str]] = {
    "agents.*": (_SLUG, "an agent's name of lower-case letters, digits, - and _"),
    "limits.per_agent.*": (_SLUG, "an agent's name of lower-case letters, digits, - and _"),
    "agents.*.env.*": (r"[A-Za-z_][A-Za-z0-9_]*", "the name of an environment variable"),
}

Tree: TypeAlias = "dict[str, Key | Tree]"


def _grow() -> Tree:
    root: Tree = {}
    for key in KEYS:
        *above, last = key.name.split(".")
        node = root
        for part in above:
            child = node.setdefault(part, {})
            assert isinstance(child, dict)
            node = child
        node[last] = key
    return root


#: The keys nested as the file nests them; a `*` stands for any word.
TREE: Tree = _grow()


def json_schema() -> dict[str, object]:
    """Describe the settings file as a JSON Schema, for editors."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "orange settings",
        **_section(TREE),
    }


def _section(node: Tree) -> dict[str, object]:
    schemas = {name: _section(child) if isinstance(child, dict) else _schema(child) for name, child in node.items()}
    others = schemas.pop("*", False)
    section: dict[str, object] = {"type": ["object", "null"], "additionalProperties": others}
    return section | ({"properties": schemas} if schemas else {})


def _schema(key: Key) -> dict[str, object]:
    found = _typed_schema(key)
    if key.null and "type" in found:
        found["type"] = [found["type"], "null"]
    if key.null and "enum" in found:
        found["enum"] = [*key.words, None]
    note = " Only in the user's own settings." if key.user_only else ""
    return found | {"description": key.about + note}


def _typed_schema(key: Key) -> dict[str, object]:
    if key.kind is Kind.WORD:
        return {"enum": list(key.words)}
    found: dict[str, object] = dict(_SHAPES[key.kind])
    if key.pattern and key.kind is Kind.TEXT:
        found["pattern"] = f"^({key.pattern})$"
    if key.kind is Kind.ITEMS:
        found["items"] = _item_schema(key)
    return found | (_bounds(key) if key.kind in {Kind.WHOLE, Kind.NUMBER} else {})


_SHAPES: Mapping[Kind, Mapping[str, object]] = {
    Kind.TEXT: {"type": "string"},
    Kind.FLAG: {"type": "boolean"},
    Kind.WHOLE: {"type": "integer"},
    Kind.NUMBER: {"type": "number"},
    Kind.DURATION: {"type": "string", "pattern": "^[0-9]{1,9}[smhd]$"},
    Kind.TEXTS: {"type": "array", "items": {"type": "string"}},
    Kind.ITEMS: {"type": "array"},
    Kind.FREE: {},
}


def _item_schema(key: Key) -> dict[str, object]:
    if not key.items:
        return {"type": "object"}
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [item.name for item in key.items if item.needed],
        "properties": {item.name: _schema(item) for item in key.items},
    }


def _bounds(key: Key) -> dict[str, object]:
    bounds = {"minimum": key.least, "maximum": key.most}
    return {name: value for name, value in bounds.items() if value is not None}
