"""What an agent's stream of events says, in words common to all agents, and the account kept of it.

Each agent's module turns one line of its program's stream into these events; `headless` shows them and keeps the
account, which becomes `agent.json` in the run's folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

#: One line of a stream, parsed.
Line: TypeAlias = Mapping[str, Any]

#: What a provider answers to somebody it does not know.
UNAUTHORIZED = 401
#: Seconds a limit without a time of its own is taken to last.
UNTOLD = 300.0


@dataclass(frozen=True, slots=True)
class Tokens:
    """What was read and written. `cached` is the part of `input` that was read from a cache."""

    input: int = 0
    output: int = 0
    cached: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(self.input + other.input, self.output + other.output, self.cached + other.cached)

    def less(self, other: Tokens) -> Tokens:
        """Return what came on top of an earlier count; all of it where this is no continuation of that."""
        if self.input < other.input or self.output < other.output:
            return self
        return Tokens(self.input - other.input, self.output - other.output, max(0, self.cached - other.cached))


@dataclass(frozen=True, slots=True)
class Began:
    """The conversation has an id: from here on it can be continued."""

    session: str
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """The agent said something; a `part` of a text has no line of its own."""

    text: str
    part: bool = False


@dataclass(frozen=True, slots=True)
class Called:
    """The agent uses a tool."""

    tool: str
    what: str


@dataclass(frozen=True, slots=True)
class Returned:
    """What the tool gave back."""

    text: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Spent:
    """What something cost: one step, by its key; or, without a key, all of this run."""

    tokens: Tokens
    usd: float | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """What the whole conversation has cost up to now, earlier runs of it included."""

    tokens: Tokens


@dataclass(frozen=True, slots=True)
class Limited:
    """The model's provider refuses to go on until then (seconds since 1970); None when it did not say."""

    until: float | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """The model's provider does not know who asks: nobody is logged in, or not any more."""

    #: Whether the program would ask again and again.
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """Something failed, in the agent's words."""

    message: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The turn is over."""

    failed: bool = False


Event: TypeAlias = Began | Said | Called | Returned | Spent | Counted | Limited | Unknown | Failed | Ended


@dataclass(slots=True)
class Account:
    """What is known of a conversation so far."""

    #: What the conversation had cost before this run.
    before: Tokens = Tokens()
    session: str | None = None
    model: str | None = None
    #: Things the agent said or did.
    turns: int = 0
    #: Whether the provider refused, and nothing was said or done since.
    limited: bool = False
    #: Until when, seconds since 1970; None when nobody said.
    until: float | None = None
    #: Whether the provider did not know who asks, and nothing was said or done since.
    logged_out: bool = False
    error: str | None = None
    #: Whether the turn ended as failed; None while it has not ended.
    failed: bool | None = None
    _total: Tokens | None = None
    _usd: float | None = None
    _steps: dict[str, tuple[Tokens, float]] = field(default_factory=dict)

    def take(self, events: Iterable[Event]) -> None:
        """Take note of events."""
        for event in events:
            self._take(event)

    def _take(self, event: Event) -> None:
        match event:
            case Began():
                self.session, self.model = event.session, event.model or self.model
            case Said() | Called():
                self.turns += 1
                self.limited, self.until, self.logged_out = False, None, False
            case Spent():
                self._spend(event)
            case Counted():
                self._total = event.tokens.less(self.before)
            case Limited():
                self.limited, self.until = True, event.until or self.until
            case Unknown():
                self.logged_out = True
            case Failed():
                self.error = event.message
            case Ended():
                self.failed = event.failed

    def _spend(self, spent: Spent) -> None:
        if spent.key is None:
            self._total, self._usd = spent.tokens, spent.usd
        else:
            self._steps[spent.key] = spent.tokens, spent.usd or 0.0

    @property
    def tokens(self) -> Tokens | None:
        """What this run has used: the program's own sum, else that of the steps seen; None where nothing was told."""
        if self._total is not None or not self._steps:
            return self._total
        return sum((tokens for tokens, _ in self._steps.values()), Tokens())

    @property
    def usd(self) -> float | None:
        """What this run has cost, where the program says so."""
        return sum(usd for _, usd in self._steps.values()) if self._usd is None and self._steps else self._usd

    def record(self, now: float) -> dict[str, object]:
        """Make the content of `agent.json`."""
        tokens = self.tokens
        return {
            "session": self.session,
            "model": self.model,
            "turns": self.turns,
            "tokens": tokens and asdict(tokens),
            "conversation_tokens": asdict(self.before + (tokens or Tokens())),
            "cost_usd": self.usd,
            "limited_until": (self.until or now + UNTOLD) if self.limited else None,
            "logged_out": self.logged_out,
            "error": self.error,
            "ended": self.failed is not None,
        }


def summed(record: Mapping[str, Any], past: Mapping[str, Any]) -> dict[str, Any]:
    """Add to a step's record what the run's earlier steps used; the conversation's own count has it already."""
    if not past:
        return dict(record)
    tokens = _added(record["tokens"], past.get("tokens"))
    costs = [cost for cost in (past.get("cost_usd"), record["cost_usd"]) if cost is not None]
    turns = record["turns"] + number(past.get("turns"))
    return {**record, "tokens": tokens, "turns": turns, "cost_usd": sum(costs) if costs else None}


def _added(one: Mapping[str, int] | None, other: Mapping[str, int] | None) -> Mapping[str, int] | None:
    """Add counts; what is not known adds nothing, and two of them are not known."""
    if not one or not other:
        return one or other
    return {name: count + number(other.get(name)) for name, count in one.items()}


def text_of(content: object) -> str:
    """Join the text of a content that is a string, or a list of parts with text."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


def number(value: object) -> int:
    """Read a count; what is no number counts as nothing."""
    return int(value) if isinstance(value, (int, float)) else 0


def shown(given: object) -> str:
    """Show a tool's arguments in short: the command or file where there is one, else all of them."""
    if not isinstance(given, Mapping):
        return str(given or "")
    for key in ("command", "cmd", "file_path", "filePath", "path", "pattern", "url", "query", "skill"):
        if isinstance(given.get(key), str):
            return str(given[key])
    return ", ".join(f"{key}={value}" for key, value in given.items())
