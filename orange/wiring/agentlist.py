"""The agents of this machine, as people and programs are told of them."""

from __future__ import annotations

from orange.adapters import capabilities, logins
from orange.adapters.runtimes import registry
from orange.core.layout import Layout
from orange.core.logins import State, Told
from orange.core.settings import Settings
from orange.core.times import stamp


def shown(layout: Layout, settings: Settings) -> list[dict[str, object]]:
    """List the agents: usable, version, why not, and whether somebody is logged in to each."""
    told = logins.told(layout)
    return [
        {
            "name": found.name,
            "usable": found.usable,
            "version": found.version,
            "reason": found.reason,
            "login": _login(found.name, told.get(found.name)),
        }
        for found in capabilities.agents(settings)
    ]


def _login(agent: str, told: Told | None) -> dict[str, object] | None:
    """Say whether somebody is logged in to an agent, which run told so, and how to log in; None: it needs no login."""
    login = registry.login(agent)
    if login is None:
        return None
    state = told.state if told else State.UNKNOWN
    seen = {"run": told.run, "at": stamp(told.at)} if told else {"run": None, "at": None}
    return {"state": state.value, **seen, "remedy": login.cure if state is State.OUT else None}
