"""Every command by its words, with where it lives and its one line of help: the manual's table of contents.

Nothing is imported for it, so that listing commands costs nothing. Next in the flow: `app` imports the one asked for.
"""

from __future__ import annotations

from typing import NamedTuple


class Entry(NamedTuple):
    """One command."""

    #: Heading in `orange --help`.
    section: str
    #: Module below `orange.cli`.
    module: str
    #: Its name in that module.
    name: str
    #: One line.
    help: str


_START, _TASKS, _MOVES, _TALK = "Start", "Tasks", "Moving tasks", "Questions and sessions"
_QUICK = "Quick actions (one-off)"
_PLANS, _DAEMON, _PLACES, _SETUP = "Plans", "Daemon", "Workspaces", "Settings and installation"

#: Words of the command -> where it is.
COMMANDS: dict[str, Entry] = {
    "init": Entry(_START, "init", "init", "Make this git repository an orange project."),
    "demo": Entry(_START, "demo", "demo", "Show it all at work in a sample repository, without any account."),
    "status": Entry(_START, "status", "status", "Show the daemon, what waits and why, and what is wrong."),
    "dashboard": Entry(_START, "dashboard", "dashboard", "Open the dashboard in your browser."),
    "stats": Entry(_START, "stats", "stats", "Show what runs took and cost, by day, agent, model and type."),
    "task create": Entry(_TASKS, "task_create", "create", "Create a task."),
    "task import": Entry(_TASKS, "task_import", "import_tasks", "Create tasks from another tool's file."),
    "task export": Entry(_TASKS, "task_export", "export", "Print every task with its text, for elsewhere."),
    "task list": Entry(_TASKS, "task_read", "list_tasks", "List tasks."),
    "task show": Entry(_TASKS, "task_read", "show", "Show one task."),
    "task why": Entry(_TASKS, "task_read", "why", "Say what a task waits for, and what would unblock it."),
    "task edit": Entry(_TASKS, "task_write", "edit", "Open a task's file in your editor."),
    "task update": Entry(_TASKS, "task_update", "update", "Change fields or the status of one task or several."),
    "task write": Entry(_TASKS, "task_write", "write", "Write one body section of this workspace's task."),
    "task log": Entry(_TASKS, "task_record", "log", "Print the output of the latest run."),
    "task diff": Entry(_TASKS, "task_record", "diff", "Print what the task's branch changes."),
    "task events": Entry(_TASKS, "task_record", "events", "List what happened to a task."),
    "task review": Entry(_TASKS, "task_record", "review", "Open what a reviewer needs."),
    "task run": Entry(_MOVES, "task_move", "run", "Start a task now, ahead of order."),
    "task take": Entry(_MOVES, "task_move", "take", "Take a task to do it yourself."),
    "task finish": Entry(_MOVES, "task_move", "finish", "Hand in a task you took."),
    "task approve": Entry(_MOVES, "task_judge", "approve", "Approve a task's work at its present commit."),
    "task reject": Entry(_MOVES, "task_judge", "reject", "Ask for changes."),
    "task comment": Entry(_MOVES, "task_judge", "comment", "Comment on a line of a task under review."),
    "task merge": Entry(_MOVES, "task_judge", "merge", "Integrate a reviewed task now."),
    "task rollback": Entry(_MOVES, "task_judge", "rollback", "Take a done task's work out of its base again."),
    "forecast": Entry(_MOVES, "forecast", "forecast", "Show which open branches would conflict, before they do."),
    "task retry": Entry(_MOVES, "task_move", "retry", "Make a stuck task startable again."),
    "task cancel": Entry(_MOVES, "task_move", "cancel", "Drop a task; its work is kept."),
    "task reopen": Entry(_MOVES, "task_move", "reopen", "Make a finished task startable again."),
    "task restore": Entry(_MOVES, "task_move", "restore", "Bring a cancelled task back to the backlog."),
    "task release": Entry(_MOVES, "task_move", "release", "Give up a claim."),
    "task remove": Entry(_MOVES, "task_move", "remove", "Delete a task's files; history keeps them."),
    "ask": Entry(_TALK, "ask", "ask", "Ask people a question (for agents)."),
    "answer": Entry(_TALK, "ask", "answer", "Answer a task's question."),
    "attach": Entry(_TALK, "ask", "attach", "Join the live session of a task."),
    "takeover": Entry(_TALK, "ask", "takeover", "Continue an agent's conversation yourself, in this terminal."),
    "quick run": Entry(_QUICK, "quick", "run", "Let an agent do something once, outside of any task."),
    "quick list": Entry(_QUICK, "quick", "list_quick", "List the quick actions, the latest first."),
    "quick show": Entry(_QUICK, "quick", "show", "Show one quick action and what its agent said."),
    "quick promote": Entry(_QUICK, "quick", "promote", "Make a task of a quick action."),
    "plan decompose": Entry(_PLANS, "plan", "decompose", "Make a plan of a document: a file you can edit."),
    "plan review": Entry(_PLANS, "plan", "review", "Show a plan, its waves, and what importing it would change."),
    "plan import": Entry(_PLANS, "plan", "import_plan", "Make tasks of a plan, all or none."),
    "plan create": Entry(_PLANS, "plan", "create", "Decompose a document and import the plan at once."),
    "plan list": Entry(_PLANS, "plan", "list_plans", "List the plans, newest first."),
    "daemon start": Entry(_DAEMON, "daemon", "start", "Start the daemon in the background and register this project."),
    "daemon run": Entry(_DAEMON, "daemon", "run", "Run the daemon in the foreground."),
    "daemon stop": Entry(_DAEMON, "daemon", "stop", "Stop the daemon; sessions live on."),
    "daemon status": Entry(_DAEMON, "daemon", "status", "Say whether the daemon runs, and where."),
    "daemon pause": Entry(_DAEMON, "daemon", "pause", "Start nothing new; what runs goes on."),
    "daemon resume": Entry(_DAEMON, "daemon", "resume", "Start work again."),
    "daemon drain": Entry(_DAEMON, "daemon", "drain", "Pause, and stop when idle."),
    "daemon logs": Entry(_DAEMON, "daemon", "logs", "Print the daemon's log."),
    "session list": Entry(_DAEMON, "session", "list_sessions", "List the daemon's sessions, the latest first."),
    "session show": Entry(_DAEMON, "session", "show", "Show what one session of the daemon did and used."),
    "workspace list": Entry(_PLACES, "workspace", "list_workspaces", "List workspaces and spares."),
    "workspace gc": Entry(_PLACES, "workspace", "gc", "Mend and tidy the workspaces."),
    "cleanup": Entry(_PLACES, "workspace", "cleanup", "Remove workspaces whose work is provably safe."),
    "agents": Entry(
        _SETUP, "agents", "agents", "List the agents: what is installed, who is logged in, and why one is unusable."
    ),
    "skill list": Entry(_SETUP, "skill", "list_skills", "List orange's skills and where they are installed."),
    "skill install": Entry(_SETUP, "skill", "install", "Put orange's skills where an agent looks for them."),
    "config show": Entry(_SETUP, "config", "show", "Show every setting and where its value comes from."),
    "config set": Entry(_SETUP, "config", "set_value", "Change one setting."),
    "config validate": Entry(_SETUP, "config", "validate", "Check the configuration files."),
    "doctor": Entry(_SETUP, "doctor", "doctor", "Check this machine and this project."),
    "trust": Entry(_SETUP, "doctor", "trust", "Let this project's commands and foreign tasks take effect here."),
    "completion": Entry(_SETUP, "completion", "completion", "Print the completion script of a shell."),
}

#: What a group of commands is about.
GROUPS: dict[str, str] = {
    "task": "Create, read and move tasks.",
    "plan": "Turn a document into tasks.",
    "daemon": "Start, stop and steer the daemon.",
    "quick": "Let an agent do something once, outside of any task.",
    "session": "Read what each run of the daemon did.",
    "workspace": "Look after the workspaces.",
    "skill": "Install orange's skills.",
    "config": "Read and change the configuration.",
}


def children(prefix: str) -> dict[str, str]:
    """List the next words after `prefix` ("" for the root) with their help, in the catalog's order."""
    found: dict[str, str] = {}
    for words, entry in COMMANDS.items():
        if words.startswith(prefix):
            head, _, rest = words[len(prefix) :].partition(" ")
            found.setdefault(head, GROUPS[head] if rest else entry.help)
    return found
