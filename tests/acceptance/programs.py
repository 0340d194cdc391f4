"""The real agent programs, as a user has them who reaches a scripted model on loopback through them."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path

import pytest

from tests.acceptance.place import Place

ROOT = Path(__file__).resolve().parents[2]
AGENTS = ("claude", "codex", "gemini", "opencode")


@cache
def folder() -> Path:
    """Return where `.ci/agents` puts the programs."""
    where = subprocess.run(
        ["bash", str(ROOT / ".ci" / "agents"), "--where"], capture_output=True, text=True, check=True
    )
    return Path(where.stdout.strip())


def required() -> None:
    """Skip, loudly, where the programs are not installed."""
    if not (folder().parents[1] / "complete").exists():
        pytest.skip("the real agent programs are not installed: `make agents` installs them")


def settings(url: str, mode: str = "headless") -> str:
    """Return the project's settings: every agent reaches the model, and none anything else."""
    provider = f'model_providers.s={{name="s",base_url="{url}/v1",wire_api="responses",env_key="SCRIPTED"}}'
    agents: dict[str, dict[str, object]] = {
        "claude": {
            "env": {
                "ANTHROPIC_BASE_URL": url,
                "ANTHROPIC_AUTH_TOKEN": "scripted",
            }
        },
        "codex": {
            "args": ["-c", 'model_provider="s"', "-c", provider, "-m", "scripted"],
            "env": {"SCRIPTED": "scripted"},
        },
        "gemini": {"args": ["-m", "gemini-2.5-pro"], "env": {"GOOGLE_GEMINI_BASE_URL": url}},
        "opencode": {
            "env": {
                "OPENCODE_DISABLE_MODELS_FETCH": "1",
                "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
                "npm_config_registry": "http://127.0.0.1:9",
                "npm_config_fetch_retries": "0",
            }
        },
    }
    return f"agents: {json.dumps({name: {**agent, 'mode': mode} for name, agent in agents.items()})}\n"


def furnish(place: Place, url: str) -> None:
    """Give the user the programs, and what logging in leaves behind where a program needs it."""
    place.extra |= {"PATH": f"{folder()}:{place.env['PATH']}", "GEMINI_API_KEY": "scripted"}
    # Gemini hands variables such as GIT_CONFIG_GLOBAL on to no command.
    (place.home / ".gitconfig").write_text((place.home / "gitconfig").read_text())
    _write(place.home / ".claude.json", {"hasCompletedOnboarding": True})
    _write(place.home / ".gemini" / "settings.json", {"security": {"auth": {"selectedType": "gemini-api-key"}}})
    model = {"tool_call": True, "limit": {"context": 200000, "output": 8192}}
    options = {"baseURL": f"{url}/v1", "apiKey": "scripted"}
    scripted = {"npm": "@ai-sdk/openai-compatible", "options": options, "models": {"m": model}}
    wish = {"provider": {"s": scripted}, "model": "s/m", "small_model": "s/m"}
    _write(place.home / "config" / "opencode" / "opencode.json", wish)


def _write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
