"""Takes secrets from where references say they are, and variables from the configured command. Nothing is kept.

Next in the flow: the supervisor gives them to the agent's process, a takeover to the person's.
"""

from __future__ import annotations

from collections.abc import Mapping

from orange.adapters import process
from orange.core import references
from orange.core.problems import OrangeError

#: Seconds `vault` may take.
VAULT_TIME = 30.0


class SecretMissing(OrangeError):
    """A secret, or the environment, that cannot be had; names the place, never a value."""

    code = "secret_missing"
    http_status = 409


def resolved(env: Mapping[str, str], inherited: Mapping[str, str]) -> dict[str, str]:
    """Replace the references among an environment's values by what they refer to. Raises SecretMissing."""
    return {**env, **{name: _value(name, text, inherited) for name, text in references.among(env).items()}}


def _value(name: str, text: str, inherited: Mapping[str, str]) -> str:
    found = references.parse(text)
    if found is None:
        raise SecretMissing(f"the variable {name} is to come from {text!r}: expected {references.EXPECTED}")
    if found.kind == "vault":
        return _from_vault(name, found, inherited)
    value = inherited.get(found.place)
    if not value:
        raise SecretMissing(
            f"the variable {name} is to come from {text}, but {found.place} is not set where the daemon was started: "
            "set it there and restart the daemon"
        )
    return value


def _from_vault(name: str, found: references.Reference, inherited: Mapping[str, str]) -> str:
    where = f"the variable {name} is to come from vault ({found.place}, field {found.field}), but"
    argv = ["vault", "kv", "get", f"-field={found.field}", found.place]
    try:
        done = process.run(argv, cwd="/", env=inherited, timeout=VAULT_TIME)
    except OrangeError as error:
        raise SecretMissing(f"{where} {error.message}") from error
    value = done.text.removesuffix("\n")
    if done.status != 0 or not value:
        said = done.stderr.strip().splitlines()[-1:] or ["it is empty"]
        raise SecretMissing(f"{where} `vault` failed ({done.status}): {said[0]}")
    return value


def printed(command: str, folder: str, inherited: Mapping[str, str], seconds: float) -> dict[str, str]:
    """Run the configured command in a folder and read the variables it prints. Raises SecretMissing."""
    where = "the command of `environment.command`"
    try:
        done = process.shell(command, cwd=folder, env=inherited, timeout=seconds)
    except OrangeError as error:
        raise SecretMissing(f"{where} took longer than {seconds:g} s and was ended") from error
    if done.status != 0:
        said = done.stderr.strip().splitlines()[-1:]
        raise SecretMissing(f"{where} failed ({done.status}){': ' + said[0] if said else ''}")
    try:
        return references.variables(done.text)
    except references.Unreadable as error:
        raise SecretMissing(f"{where}: {error}") from error
