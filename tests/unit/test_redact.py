"""Secrets are taken out of what is written, whatever form they have and however the text is cut; nothing else is."""

from __future__ import annotations

import base64
import json
import random
import re
import urllib.parse
from collections.abc import Iterator

import pytest

from orange.core import redact
from orange.core.redact import Masker, Secrets
from orange.core.secretvalues import declared

VALUE = 'p4ss/w0rd+of=the"database&more'
#: Put together here, so that no scanner takes this file for a leak.
TOKENS = [
    "ghp_" + "Ab1" * 12,
    "gho_" + "Ab1" * 12,
    "ghs_" + "Ab1" * 12,
    "github_pat_" + "A1b2_" * 10,
    "sk-" + "abc123DEF456" * 3,
    "sk-proj-" + "abc123DEF456" * 3,
    "sk-ant-api03-" + "abc123-DEF_456" * 3,
    "AIza" + "Sy0_-" * 7,
    "AKIA" + "ABCD1234" * 2,
    "xoxb-" + "123456-abcdef" * 2,
    "glpat-" + "abc123DEF_456-" * 2,
    "npm_" + "abcDEF123" * 4,
    "eyJ" + "hbGciOiJIUzI1NiJ9" + ".eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0" + "." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq\nabc=\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\\nMIIEpAIBAAKCAQEA7bq\\nabc=\\n-----END PRIVATE KEY-----",
]


@pytest.mark.parametrize("token", TOKENS)
def test_token_shapes_are_masked(token: str) -> None:
    """What has the shape of a known token is masked, wherever it stands."""
    for text in (token, f"x={token}\n", f'"{token}"', f"say {token}, and go on", f"({token})"):
        assert redact.SHAPES.mask(text) == text.replace(token, "[redacted]")


@pytest.mark.parametrize(
    "text",
    [
        "AUTH_PROVIDER=local MY_KEY=1",
        "task-list-with-many-words-in-its-name sk-learn-is-no-key-but-a-library",
        "risk-free-and-asked-for-2024-again",
        "https://example.org:8080/a@b ssh://git@github.com/a/b.git http://[::1]:80/",
        "the words PRIVATE KEY----- and -----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----",
        "ghp_ is how they begin; eyJ too; AIza; AKIAshort; npm_config_registry npm_lifecycle_event",
        "3f786850e387550fdab836ed7e6dc881de23001b 6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    """Words, hashes, addresses and things that only begin like a token are left alone."""
    assert Secrets(["another-s3cret-value"]).mask(text) == text


def test_the_password_of_an_address_is_masked() -> None:
    """A remote's address keeps its host and loses who logs in."""
    assert redact.SHAPES.mask("clone https://ada:s3cr3t@example.org/x") == "clone https://[redacted]@example.org/x"


def _forms(value: str) -> Iterator[str]:
    yield value
    yield urllib.parse.quote(value)
    yield urllib.parse.quote(value, safe="")
    yield urllib.parse.quote_plus(value)
    yield json.dumps(value)[1:-1]


@pytest.mark.parametrize("value", [VALUE, "a very long pass phrase, with ümlauts and 50%", "x9" * 150, "S3CRET-value"])
def test_declared_values_are_masked_in_every_form(value: str) -> None:
    """A declared value shows neither plainly nor in URLs nor in JSON."""
    secrets = Secrets([value])
    for form in _forms(value):
        said = secrets.mask(f"before {form} after")
        assert said == "before [redacted] after"


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("shift", range(6))
def test_declared_values_are_masked_in_base64(encode: object, shift: int) -> None:
    """In base64 nothing can be decoded from what is left, whatever stood before and after the value."""
    assert callable(encode)
    value = "K>?ob0v~~s3cret"
    text = encode(b"u" * shift + value.encode() + b":tail").decode()
    left = Secrets([value]).mask(text).split("[redacted]")
    assert len(left) == 2
    assert len(left[0]) <= -(-shift * 8 // 6) + 1
    assert len(left[1]) <= 9 + 1


def test_only_secret_values_count() -> None:
    """Variables count by name, but words, numbers, paths and short values do not; those that are named always do."""
    env = {
        "GITHUB_TOKEN": "t0ken-value", "MY_KEY": "1", "AUTH_PROVIDER": "local", "DB_PASSWORD": "hunter22",
        "SIGNING_KEY_FILE": "/etc/keys/s1gning", "KEYBOARD": "us-intl-0x41", "API_KEY": "production",
        "SECRET_KEY_BASE": "/home/ada/keys", "TOKEN_LIMIT": "128000", "MAX_TOKENS": "1234567890",
        "PLAIN": "correcthorse", "SHORT": "abc",
    }  # fmt: skip
    assert declared(env) == {"t0ken-value", "hunter22"}
    assert declared(env, {"PLAIN", "SHORT"}) == {"t0ken-value", "hunter22", "correcthorse"}


def test_a_value_of_several_lines_is_masked_by_line() -> None:
    """A terminal ends lines its own way; each line of a value is a secret of its own."""
    assert Secrets(["first-l1ne\nsecond-l1ne\nx\n"]).mask("first-l1ne\r\nsecond-l1ne\r\nx") == (
        "[redacted]\r\n[redacted]\r\nx"
    )


@pytest.mark.parametrize("seed", range(30))
def test_a_stream_is_masked_as_a_whole_text_is(seed: int) -> None:
    """However a stream is cut, what comes out is what masking all of it at once gives."""
    source = random.Random(seed)
    values = [VALUE, "aaaaaaaaaa", "aaaaaaaaab", "x9" * 150]
    parts = [*TOKENS, *values, "words ", " ", "\n", "\r\n", "a" * 30, "sk-", "-----BEGIN ", "é", "b" * 2000]
    text = "".join(source.choice(parts) + source.choice(["", " ", "\n", ","]) for _ in range(60)).encode()
    secrets = Secrets(values)
    masker, said, at = Masker(secrets), b"", 0
    while at < len(text):
        size = source.choice([1, 2, 7, 50, 700, 5000])
        said += masker.feed(text[at : at + size])
        at += size
    said += masker.finish()
    whole = secrets.mask_bytes(text)
    assert re.sub(rb"(\[redacted\])+", b"[redacted]", said) == re.sub(rb"(\[redacted\])+", b"[redacted]", whole)


def test_a_stream_holds_back_little() -> None:
    """Finished words come out at once, and no more than a key's length ever waits."""
    masker = Masker(Secrets([VALUE]))
    assert masker.feed(b"some words and a prompt: ") == b"some words and a prompt: "
    given = said = 0
    for part in (b"x" * 9000, TOKENS[-1].encode()[:40], b"A" * 9000, b"A" * 9000, b"A" * 9000):
        given += len(part)
        said += len(masker.feed(part))
        assert given - said < 20_000


def test_plain_data_is_masked_throughout() -> None:
    """Texts in lists and mappings are masked; numbers and keys stay."""
    secret = TOKENS[0]
    assert redact.SHAPES.mask_value({"a": [secret, 1, None], "b": {"c": f"x {secret}"}}) == {
        "a": ["[redacted]", 1, None],
        "b": {"c": "x [redacted]"},
    }
