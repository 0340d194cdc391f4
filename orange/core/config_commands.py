"""The settings that run or send something: what `orange trust` shows and remembers, and how to do without them.

A repository must not vote on its own trust: what a clone brought along takes effect only after a person here said yes
to exactly this content.
"""

from __future__ import annotations

from collections.abc import Mapping

from orange.core.config import Origin, Source
from orange.core.config_walk import Raw
from orange.core.settings import AgentSettings, Settings


def command_bearing(settings: Settings, sources: Mapping[str, Source] | None = None) -> Mapping[str, str]:
    """List the settings that carry commands, as text by dotted name; with `sources`, only those a project file set."""
    found = {name: text for name, text in _commands(settings) if text}
    if sources is None:
        return found
    return {name: text for name, text in found.items() if _from_project(name, sources)}


def fingerprint(commands: Mapping[str, str]) -> str | None:
    """Hash what `command_bearing` listed, independent of order and Python version; None when there is nothing."""
    import hashlib

    if not commands:
        return None
    text = "\0".join(f"{name}\0{commands[name]}" for name in sorted(commands))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def withheld(project: Raw) -> Raw:
    """Return a project's settings without those that carry commands."""
    return {name: setting for name, setting in project.items() if not setting.key.command}


def _commands(settings: Settings) -> tuple[tuple[str, str], ...]:
    hooks, container = settings.workspaces.hooks, settings.workspaces.container
    plain = (
        ("review.open", settings.review.open),
        ("workspaces.container.image", container.get("image")),
        ("workspaces.hooks.after_create", hooks.after_create),
        ("workspaces.hooks.before_run", hooks.before_run),
        ("workspaces.hooks.after_run", hooks.after_run),
        ("workspaces.hooks.before_remove", hooks.before_remove),
        ("environment.command", settings.environment_command),
        ("notify.command", settings.notify_command),
        ("webhooks", _text(settings.webhooks)),
    )
    checks = ((f"checks.{check.name}", _text(check._asdict())) for check in settings.checks)
    agents = (pair for name, agent in settings.agents.items() for pair in _agent(name, agent))
    return (*((name, text or "") for name, text in plain), *checks, *agents)


def _agent(name: str, agent: AgentSettings) -> tuple[tuple[str, str], ...]:
    env = ((f"agents.{name}.env.{word}", value) for word, value in agent.env.items())
    options = ((f"agents.{name}.options.{word}", _text(value)) for word, value in agent.options.items())
    return (f"agents.{name}.run", agent.run or ""), (f"agents.{name}.args", _text(agent.args)), *env, *options


def _text(value: object) -> str:
    import json

    return json.dumps(value, sort_keys=True, ensure_ascii=False) if value or value == 0 else ""


def _from_project(name: str, sources: Mapping[str, Source]) -> bool:
    source = sources.get("checks" if name.startswith("checks.") else name)
    return source is not None and source.origin is Origin.PROJECT
