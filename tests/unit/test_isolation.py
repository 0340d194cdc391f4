"""What an agent in a sandbox sees, is given, and may ask for."""

from __future__ import annotations

import pytest

from orange.core import environment, mailbox, sandbox
from orange.core.mailbox import Letter

CAGE = sandbox.Cage(
    workspace="/w/t-1", common="/r/.git", admin="/r/.git/worktrees/t-1", branch="refs/heads/orange/t-1",
    folder="/r/.git/orange/runs/t-1", shown=("/opt/orange",), hidden=("/r/.orange",), hidden_files=("/h/.netrc",),
    own=("/h/.claude",),
)  # fmt: skip


def _rules(cage: sandbox.Cage) -> dict[str, str]:
    """Return the last rule for each path: a later one covers an earlier one."""
    words = sandbox.bubblewrap(cage)
    found = {}
    for at, word in enumerate(words):
        if word in {"--bind", "--ro-bind", "--ro-bind-try"}:
            found[words[at + 2]] = "empty" if words[at + 1] == "/dev/null" else word
        elif word == "--tmpfs":
            found[words[at + 1]] = word
    return found


def test_only_what_committing_needs_can_be_written() -> None:
    """The workspace, the objects, the worktree's and the branch's folders, the mailbox and the agent's own."""
    writable = {path for path, rule in _rules(CAGE).items() if rule == "--bind"}
    assert writable == {
        "/w/t-1", "/r/.git/objects", "/r/.git/worktrees/t-1", "/r/.git/refs/heads/orange",
        "/r/.git/logs/refs/heads/orange", "/r/.git/orange/runs/t-1/mail", "/h/.claude",
    }  # fmt: skip


def test_what_git_obeys_is_fixed_after_what_can_be_written() -> None:
    """Inside a writable folder, git's own pointers are read-only again: the order of the rules says so."""
    words = sandbox.bubblewrap(CAGE)
    last_writable = max(at for at, word in enumerate(words) if word == "--bind")
    for path in ("/w/t-1/.git", "/r/.git/worktrees/t-1/commondir", "/r/.git/worktrees/t-1/config.worktree"):
        assert max(at for at, word in enumerate(words) if word == path) > last_writable


def test_records_sockets_and_logins_are_hidden() -> None:
    """Hidden folders are empty, hidden files too; the run's own folder is shown again, without a way to write it."""
    rules = _rules(CAGE)
    assert {path: rules[path] for path in ("/r/.orange", "/r/.git/orange", "/run", "/tmp")} == dict.fromkeys(
        ("/r/.orange", "/r/.git/orange", "/run", "/tmp"), "--tmpfs"
    )
    assert rules["/h/.netrc"] == "empty"
    assert rules["/r/.git/orange/runs/t-1"] == "--ro-bind"


def test_the_network_is_a_choice() -> None:
    """Without it the sandbox has a network of its own, with nothing in it."""
    import dataclasses

    assert "--unshare-net" not in sandbox.bubblewrap(CAGE)
    assert "--unshare-net" in sandbox.bubblewrap(dataclasses.replace(CAGE, network=False))


@pytest.mark.parametrize(
    ("agent", "env", "folders", "files"),
    [
        ("claude", {}, ("/h/.claude",), ("/h/.claude.json",)),
        ("claude", {"CLAUDE_CONFIG_DIR": "/c"}, ("/c",), ()),
        ("codex", {"CODEX_HOME": "/x"}, ("/x",), ()),
        ("gemini", {}, ("/h/.gemini",), ()),
        ("opencode", {"XDG_DATA_HOME": "/d"}, ("/h/.config/opencode", "/d/opencode", "/h/.local/state/opencode",
                                               "/h/.cache/opencode"), ()),
        ("command", {}, (), ()),
    ],
)  # fmt: skip
def test_agents_keep_their_own(
    agent: str, env: dict[str, str], folders: tuple[str, ...], files: tuple[str, ...]
) -> None:
    """Where an agent keeps its login and conversations follows from its own variables."""
    assert sandbox.own_folders(agent, {"HOME": "/h", **env}) == folders
    assert sandbox.own_files(agent, {"HOME": "/h", **env}) == files


def test_an_environment_is_cut_down_to_what_an_agent_needs() -> None:
    """Language, network and the agent's own login stay; other people's tokens go."""
    env = {"HOME": "/h", "LC_ALL": "C", "HTTPS_PROXY": "p", "ANTHROPIC_API_KEY": "a", "OPENAI_API_KEY": "o",
           "GITHUB_TOKEN": "g", "SSH_AUTH_SOCK": "/s", "DBUS_SESSION_BUS_ADDRESS": "d", "MINE": "m",
           "TMPDIR": "/t", "XDG_RUNTIME_DIR": "/x"}  # fmt: skip
    common = {"HOME", "LC_ALL", "HTTPS_PROXY"}
    for agent, own in (("claude", {"ANTHROPIC_API_KEY"}), ("codex", {"OPENAI_API_KEY"}), ("command", set[str]())):
        assert set(environment.minimal(env, agent, enclosed=True)) == common | own
        assert set(environment.minimal(env, agent, enclosed=False)) == common | own | {"TMPDIR", "XDG_RUNTIME_DIR"}


@pytest.mark.parametrize(
    "argv",
    [
        ["ask", "Which one?", "--wait"],
        ["task", "create", "part", "Do a part", "--body", "-"],
        ["task", "update", "--status", "delegated"],
        ["task", "write", "Handoff", "-"],
        ["--json", "task", "show"],
        ["status"],
    ],
)
def test_an_agent_may_ask_for_its_own_work(argv: list[str]) -> None:
    """Reading, creating, writing, asking and delegating work by mailbox."""
    assert mailbox.refusal(argv) is None


@pytest.mark.parametrize(
    "argv",
    [
        [], ["config", "set", "agent", "x"], ["task"], ["task", "approve"], ["task", "run", "x"], ["daemon", "stop"],
        ["trust"], ["task", "show", "-C", "/"], ["-C/", "status"], ["--project=x", "status"], ["status", "--watch"],
        ["task", "create", "x", "--body-file", "/etc/passwd"], ["task", "create", "x", "--from-file=/etc/passwd"],
        ["task", "create", "x", "--edit"], ["task", "create", "x", "--worktree-path", "/etc"],
    ],
)  # fmt: skip
def test_nothing_else_is_carried_out(argv: list[str]) -> None:
    """What a person does, and what would read or run something outside, is refused with a sentence."""
    assert "from inside a sandbox" in str(mailbox.refusal(argv))


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"argv": "task", "stdin": null}', b'{"argv": ["a\\u0000b"], "stdin": null}',
             b'{"argv": [1], "stdin": null}', b'{"argv": [], "stdin": 1}', b"[" * 100_000]
)  # fmt: skip
def test_what_is_no_letter_is_none(data: bytes) -> None:
    """The box can be written by the agent: whatever lies in it, reading it never fails."""
    assert mailbox.read(data) is None


@pytest.mark.parametrize(
    ("data", "letter"),
    [
        (b"sh 2\ntask\0show\0", Letter(("task", "show"), None, by_shell=True)),
        (b"sh 0\n", Letter((), None, by_shell=True)),
        (b"sh 2\nwrite\0-\0a\0b\n", Letter(("write", "-"), "a\0b\n", by_shell=True)),
        (b"sh 1\nleft out\0 unread", Letter(("left out",), None, by_shell=True)),
        (b"sh 2\ntask\0sho", None),
        (b"sh 99999\n", None),
    ],
)
def test_letters_of_a_shell_are_read(data: bytes, letter: Letter | None) -> None:
    """Words end with a NUL, the standard input follows where it was asked for; a torn letter is none."""
    assert mailbox.read(data) == letter


def test_letters_are_read_as_written() -> None:
    """Words and standard input arrive as they were given."""
    letter = Letter(("task", "write", "Plan", "-"), "APPROACH: ümlaut\n")
    assert mailbox.read(mailbox.written(letter)) == letter
    assert [mailbox.letter_id(name) for name in ("a1.ask", "a1.answer", "../a.ask", "bell", "A.ask")] == [
        "a1", None, None, None, None,
    ]  # fmt: skip
