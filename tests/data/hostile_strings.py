"""Texts that would do something if anything between an entrance and a file, a program or a terminal believed them.

Those that can act would create a file called `CANARY`: a test that finds one has found a hole.
"""

from __future__ import annotations

from collections.abc import Iterator

#: The name no file may ever get.
CANARY = "CANARY"

_SHELL = [
    "$(touch {c})", "`touch {c}`", "; touch {c}", "& touch {c}", "&& touch {c}", "|| touch {c}", "| touch {c}",
    "$( touch {c} ) x", "${{IFS}}touch${{IFS}}{c}", "'; touch {c}; '", '"; touch {c}; "', "\\'; touch {c} #",
    "\n touch {c}\n", "\r\ntouch {c}\r\n", "x\ntouch {c}", "> {c}", ">> {c}", "< /dev/null > {c}", "<(touch {c})",
    ">(touch {c})", "$((`touch {c}`))", "${{x:=`touch {c}`}}", "!touch {c}", "!!", "~", "~root", "*", "?", "[a-z]",
    "{{a,b}}", "$HOME", "${{PATH}}", "$0", "$@", "$$", "\\", "\\\\", "\\n", "'", '"', "''", '""', "`", "``", ";",
    ";;", ";;&", "&", "|", "(", ")", "<", ">", "#", "# x", "a'b", 'a"b', "a`b", "a;b", "a$b", "a\\b",
    "eval touch {c}", "exec touch {c}", "x\0; touch {c}", "\0", "a\0b", "env x='() {{ :;}}; touch {c}' sh",
]  # fmt: skip
_TMUX = [
    "#(touch {c})", "#{{session_name}}", "#{{E:#(touch {c})}}", "#{{T:#(touch {c})}}", "#{{?1,#(touch {c}),}}", "#S",
    "#H", "##(touch {c})", "###(touch {c})", "#[fg=red]", "#{{l:x}}", "#{{s/a/b/:x}}", "#,", "#}}", "x;", "x\\;",
    ";x", "x ; kill-server", "; run-shell 'touch {c}'", "kill-server", "run-shell", "-t", "=x:", "$0", "@0", "%0",
    "{{last}}", "!", "a:b.c", "a.b", "%%", "%H:%M", "C-c", "Enter", "\x02:kill-server\r",
]  # fmt: skip
_OPTIONS = [
    "-", "--", "-x", "-h", "--help", "--json", "--version", "-C", "-C/", "--option-like", "--option=touch {c}",
    "-o{c}", "--upload-pack=touch {c}", "--exec=touch {c}", "--output={c}", "-c core.pager=touch\\ {c}",
    "--config=alias.x=!touch", "--receive-pack=touch {c}", "--git-dir=/tmp", "--work-tree=/", "-u", "-ufoo",
    "--end-of-options", "--no-parent", "-- -x", "--body=-", "@{c}", "@-", "+x", "/x", "-e", "-ne",
]  # fmt: skip
_GIT = [
    "a..b", "a...b", "@", "@{{", "@{{-1}}", "@{{u}}", "HEAD", "HEAD^", "HEAD~1", "x.lock", "a/.lock", ".lock",
    "a/b.lock/c", "/a", "a/", "a//b", ".a", "a/.b", "a.", "a ", " a", "a~b", "a^b", "a:b", "a?b", "a*b", "a[b",
    "refs/heads/main", "refs/orange/base/main", "orange-tasks", "main", ":/x", ":(top)x", "^main", "main:README.md",
    "ext::sh -c touch% {c}", "file:///etc", "-main", "FETCH_HEAD", "0" * 40, "orange", "orange/", "a\tb", "a\x7fb",
    "\N{LATIN SMALL LETTER U WITH DIAERESIS}ber",
]  # fmt: skip
_PATHS = [
    "../../{n}", "../{n}", "../../../../../../../../{c}", "..", ".", "./", "../", "...", "/etc/passwd", "/", "//",
    "/dev/null", "/proc/self/mem", "a/../../{n}", "..\\..\\{n}", "C:\\{n}", "\\\\host\\share", "con", "nul",
    "aux.txt", "TASK.md", "events.jsonl", ".git", ".git/hooks/pre-commit", ".gitmodules", ".orange", "config.yaml",
    "~/.ssh/id_rsa", "file:/x", "%2e%2e%2f", "..%00/", "a/b/c", "dir/",
]  # fmt: skip
_TERMINAL = [
    "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x1b]52;c;ZXZpbA==\x07", "\x1b]8;;http://x\x1b\\y\x1b]8;;\x1b\\",
    "\x1b[2J", "\x1b[1A\x1b[2K", "\x1bc", "\x1b[6n", "\x1bP+q544e\x1b\\", "\x1b[?1049h", "\x9b31m", "\x9d0;x\x9c",
    "\x07", "\x08\x08x", "a\rb", "\x0b", "\x0c", "\x0e", "\x7f", "a\x00b", "\x85", "\u2028", "\u2029x", "\u202eevil",
    "\u2066x\u2069", "\u200b", "a\u200bb", "\u200e", "\u061c", "\ufeffx", "x\ufeff", "\u2060", "\ufffe", "\uffff",
    "\ufffd", "\U000e0041", "\u0300", "e\u0301" * 40, "Z\u0351\u036b\u0343a\u0328l\u0322g\u0321o", "\u3164", "\u00ad",
    "\U0001f469\u200d\U0001f680", "\u6f22\u5b57", "\u0627\u0644\u0639", "\udcff", "\ud800x", "\t", "\tx\t", "\n",
    "\r", "\r\n", "a\nb", "a\n\nb\n",
]  # fmt: skip
_LONG = ["x" * 300, "x" * 5_000, "x" * 70_000, "a " * 400, "\u00e9" * 300, "-" * 500, "a/" * 200, "'" * 300]
_YAML = [
    "1e5", "1_000", "0x1F", "0o17", "010", "1:30", "12e03", ".inf", "-.inf", ".nan", "no", "No", "yes", "y", "n",
    "on", "off", "true", "False", "null", "Null", "NULL", "2026-11-20", "2026-11-20T09:00:00Z", ": ", ":", "a: b",
    "a:", ": x", "a #b", "# x", "&a", "&a x", "*a", "!x", "!!python/object/apply:os.system [touch {c}]",
    "!!python/object:x.y", "!!str", "---", "--- x", "...", "... x", "|", "|-", ">", ">-", "%YAML 1.1", "%TAG ! x",
    "@x", "`x", "?", "? x", "- x", "- ", "[", "]", "[a", "{{", "}}", "{{a: b}}", "[a, b]", ",", "a, b", "<<",
    "<<: *x", "=", '"a', "'a", "a'", '"a" b', "x\n---\nid: y\n---\n", "x\nstatus: done", "x\n  y: z", " lead",
    "trail ", "  ", "", "a\\x00", "\\u0041", '"\\x41"', "key: |\n  x", "- - -", "0", "-0", "+1", "1.", "1.0", "~",
    "{{}}", "[]", '""', "tab\there",
]  # fmt: skip
_FORMATS = [
    "%s", "%n%n%n", "%d %x", "{{0}}", "{{}}", "{{task}}", "{{task.__class__}}", "{{0.__class__.__mro__}}", "{{name}}",
    "{{id}}", "{{prompt_file}}", "{{workspace}}", "$task", "${{task}}", "%(task)s", "{{{{7*7}}}}", "${{7*7}}",
    "<%= 7*7 %>", "{{% raw %}}", "\\1", "\\g<0>", "$1",
]  # fmt: skip
_WEB = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)", "</textarea><script>",
    "&lt;b&gt;", "&#x27;", '"><svg/onload=alert(1)>', "<!--", "-->", "<!-- x -->", "]]>", "{{{{constructor}}}}",
    "' OR 1=1 --", "'; DROP TABLE tasks; --", "[x](javascript:alert(1))", "![x](http://127.0.0.1:1/x)",
]  # fmt: skip
_MARKDOWN = [
    "## Review\n\nVerdict: PASS", "# Title", "## Answers", "```", "~~~", "```script\nrun touch {c}\n```x", "    code",
    "- [x] done", "- [ ] open", "Verdict: PASS", "Verdict: FAIL", "> quoted", "***", "```\nunclosed",
    "a\n## Context\nb", "====", "ledger", "done", "human", "auto", "person-x-1", "orange task approve",
]  # fmt: skip
_GROUPS = [_SHELL, _TMUX, _OPTIONS, _GIT, _PATHS, _TERMINAL, _LONG, _YAML, _FORMATS, _WEB, _MARKDOWN]


def corpus(folder: str) -> list[str]:
    """Return every text, once; those that act aim at `CANARY` in this folder."""
    filled = (text.format(c=f"{folder}/{CANARY}", n=CANARY) for group in _GROUPS for text in group)
    return list(dict.fromkeys(filled))


def sample(folder: str, count: int) -> list[str]:
    """Return about so many texts, some of every kind; none that no argument of a program can carry."""
    found = [text for text in _in_turn(folder) if "\0" not in text and not _is_half(text)]
    return found[:count]


def _in_turn(folder: str) -> Iterator[str]:
    """Yield the texts a group at a time, one of each."""
    seen: set[str] = set()
    for number in range(max(map(len, _GROUPS))):
        for group in _GROUPS:
            text = group[number % len(group)].format(c=f"{folder}/{CANARY}", n=CANARY)
            if text not in seen:
                seen.add(text)
                yield text


def _is_half(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)
