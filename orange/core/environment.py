"""Which variables reach a session's processes, and which of them the programs of a run.

A session has everything of the user's, but nothing that says "you are inside me": a program that finds itself inside
an agent, a tmux or a git hook behaves differently, and a new run is inside none of them, wherever the daemon or the
command that started it was called from. A run's programs have only what every program may need and what their agent
documents: the tokens of other things are none of their concern.
"""

from __future__ import annotations

from collections.abc import Mapping

#: Set by something around us, by prefix.
_INSIDE = ("TMUX", "CLAUDECODE", "CLAUDE_CODE_", "CODEX_", "GEMINI_", "OPENCODE", "ORANGE_")
#: Settings of the user's own under such a prefix: where an agent keeps its things and how it logs in.
_THE_USERS = frozenset(
    {
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_CODE_SKIP_BEDROCK_AUTH",
        "CLAUDE_CODE_SKIP_VERTEX_AUTH",
        "CLAUDE_CODE_USE_BEDROCK",
        "CLAUDE_CODE_USE_FOUNDRY",
        "CLAUDE_CODE_USE_VERTEX",
        "CODEX_API_KEY",
        "CODEX_HOME",
        "GEMINI_API_KEY",
        "GEMINI_CLI_HOME",
        "GEMINI_CLI_SYSTEM_DEFAULTS_PATH",
        "GEMINI_CLI_SYSTEM_SETTINGS_PATH",
        "GEMINI_MODEL",
        "OPENCODE_CONFIG",
        "OPENCODE_CONFIG_CONTENT",
        "OPENCODE_CONFIG_DIR",
        "TMUX_TMPDIR",
    }
)
#: Where git was told its things are: true for the caller's hook, wrong in a workspace.
_GIT_PLACES = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_DIR",
        "GIT_INDEX_FILE",
        "GIT_NAMESPACE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_WORK_TREE",
    }
)
#: What every program may need, by name and by prefix.
_ORDINARY = frozenset(
    {
        "ALL_PROXY", "COLORTERM", "CURL_CA_BUNDLE", "FORCE_COLOR", "GIT_SSL_CAINFO", "HOME", "HTTPS_PROXY",
        "HTTP_PROXY", "LANG", "LANGUAGE", "LOGNAME", "NODE_EXTRA_CA_CERTS", "NO_COLOR", "NO_PROXY", "PATH",
        "REQUESTS_CA_BUNDLE", "SHELL", "SSL_CERT_DIR", "SSL_CERT_FILE", "TERM", "TZ", "USER", "all_proxy", "http_proxy",
        "https_proxy", "no_proxy",
    }
)  # fmt: skip
_ORDINARY_PREFIXES = (
    "LC_", "GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "XDG_CACHE_", "XDG_CONFIG_",
    "XDG_DATA_", "XDG_STATE_",
)  # fmt: skip
#: What is there only where a program is not enclosed: folders and sockets of the machine.
_NOT_ENCLOSED = ("TMPDIR", "XDG_")
#: How each agent is told its provider, login and folders.
_PREFIXES_OF = {
    "claude": (
        "ANTHROPIC_", "API_TIMEOUT_MS", "AWS_", "BASH_DEFAULT_TIMEOUT_MS", "BASH_MAX_", "CLAUDE_", "CLOUD_ML_REGION",
        "GOOGLE_", "MAX_THINKING_TOKENS", "MCP_TIMEOUT", "MCP_TOOL_TIMEOUT", "VERTEX_REGION_",
    ),
    "codex": ("AZURE_OPENAI_", "CODEX_", "OPENAI_"),
    "gemini": ("GEMINI_", "GOOGLE_"),
    "opencode": (
        "ANTHROPIC_", "AWS_", "AZURE_", "DEEPSEEK_", "GEMINI_", "GOOGLE_", "GROQ_", "MISTRAL_", "OPENAI_", "OPENCODE_",
        "OPENROUTER_", "XAI_",
    ),
}  # fmt: skip


def outside(inherited: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without what says that it is inside an agent, a tmux, a git hook or another run."""
    return {name: value for name, value in inherited.items() if not _says_inside(name)}


def minimal(env: Mapping[str, str], agent: str, *, enclosed: bool) -> dict[str, str]:
    """Return what an agent needs of an environment: the language, the network, its own login."""
    prefixes = _ORDINARY_PREFIXES + _PREFIXES_OF.get(agent, ()) + (() if enclosed else _NOT_ENCLOSED)
    return {name: value for name, value in env.items() if name in _ORDINARY or name.startswith(prefixes)}


def _says_inside(name: str) -> bool:
    return name in _GIT_PLACES or (name.startswith(_INSIDE) and name not in _THE_USERS)
