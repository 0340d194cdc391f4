"""The description of the API: one entry an operation, and nothing named twice or missing."""

from __future__ import annotations

from collections import Counter

from orange.core.service.admission import Scope
from orange.web.openapi import document
from orange.web.routes import OPERATIONS


def test_every_operation_is_described_once() -> None:
    """Names and routes are unique, and each has its answer, its places and its refusals."""
    described = document(OPERATIONS)
    assert max(Counter(operation.id for operation in OPERATIONS).values()) == 1
    assert sum(len(methods) for methods in described["paths"].values()) == len(OPERATIONS)
    for operation in OPERATIONS:
        found = described["paths"][operation.path][operation.method.lower()]
        assert set(found["responses"]) >= {str(operation.status), "401", "403", "422"}
        places = [part["name"] for part in found["parameters"] if part["in"] == "path"]
        assert places == list(operation.places)


def test_what_is_referred_to_is_there() -> None:
    """Every reference leads to a part with a name."""
    described = document(OPERATIONS)
    names = {part.split("'")[0] for part in repr(described).split("#/components/schemas/")[1:]}
    assert names <= set(described["components"]["schemas"])


def test_only_reading_is_open_to_a_token_that_reads() -> None:
    """No operation that is asked by GET needs more, and none that changes something needs less."""
    for operation in OPERATIONS:
        expected = Scope.NONE if operation.public else Scope.READ if operation.method == "GET" else Scope.FULL
        assert operation.scope is expected
    assert [operation.id for operation in OPERATIONS if operation.public] == ["health", "login"]
