"""The OpenAPI 3.1 document, made of the operations: what is checked is what is described. Pure.

Next in the flow: served at `/api/v2/openapi.json`, and kept in the docs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from orange import __version__
from orange.core.service.cards import CARD
from orange.core.service.shapes import Items, Schema, Shape
from orange.core.service.views import COMPONENTS
from orange.web.operation import Kind, Operation

_ABOUT = (
    "What the command line can do, for programs. Every request needs the token of the daemon's user as "
    "`Authorization: Bearer TOKEN`, what is sent is JSON, and what is refused says why as a problem document."
)
#: Status -> why it may come, for every operation.
_REFUSALS = {
    "400": "The request cannot be read.",
    "401": "There is no token.",
    "403": "It is not allowed.",
    "409": "It contradicts how things are now.",
    "421": "The request is meant for another host.",
    "422": "A part makes no sense; `field` names it.",
    "500": "Something outside of the request failed.",
    "502": "The forge failed.",
    "503": "The daemon cannot do it now.",
}
_TOO_LARGE = {"413": "The body is too large.", "415": "The body is not JSON."}
_MISSING = {"404": "There is no such thing."}


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """Describe the operations."""
    paths: dict[str, dict[str, Any]] = {}
    known = tuple(operations)
    for operation in known:
        found = _operation(operation)
        links = _links(operation, known)
        if links:
            found["responses"][str(operation.status)]["links"] = links
        paths.setdefault(operation.path, {})[operation.method.lower()] = found
    return {
        "openapi": "3.1.0",
        "info": {"title": "orange", "version": __version__, "description": _ABOUT},
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {**COMPONENTS, "Card": CARD},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.about,
        "tags": [_tag(operation.path)],
        "parameters": [*_places(operation), *_query(operation), *_headers(operation)],
        "responses": {str(operation.status): _done(operation), **_refusals(operation)},
    }
    if operation.public:
        found["security"] = []
    if operation.body is not None:
        content = {"application/json": {"schema": operation.body.schema()}}
        found["requestBody"] = {"required": not operation.body_optional, "content": content}
    return found


#: What makes something -> the place in other paths that names it, and where its id is in the answer.
_MAKES = {
    "create_task": ("task", "$response.body#/task/id"),
    "submit_job": ("job", "$response.body#/job/id"),
    "preview_prd": ("import", "$response.body#/job_id"),
    "start_quick_run": ("quick_run", "$response.body#/quick_run/id"),
}


def _links(operation: Operation, known: Iterable[Operation]) -> dict[str, Any]:
    """Say what may be done with what was made."""
    if operation.id not in _MAKES:
        return {}
    place, where = _MAKES[operation.id]
    return {
        other.id: {"operationId": other.id, "parameters": {place: where}} for other in known if other.places == (place,)
    }


def _tag(path: str) -> str:
    found = re.match(r"/api/(?:v2/)?([a-z-]+)", path)
    return found[1] if found else "service"


def _places(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in operation.places
    ]


def _query(operation: Operation) -> list[dict[str, Any]]:
    shape = operation.parameters
    return [
        {"name": name, "in": "query", "required": name in shape.required, "schema": _schema(part)}
        for name, part in shape.keys.items()
    ]


def _schema(part: Shape) -> Schema:
    """Describe a parameter: one that may be repeated is a list."""
    return Items(part.of, part.most, part.about).schema() if isinstance(part, Items) else part.schema()


def _headers(operation: Operation) -> list[dict[str, Any]]:
    text = {"type": "string", "minLength": 1, "maxLength": 200}
    if operation.kind is Kind.EVENTS:
        about = "The id of the last event that was seen."
        return [{"name": "Last-Event-ID", "in": "header", "schema": text, "description": about}]
    if operation.method == "PATCH":
        about = "The ETag that was read: changes only what has not been changed since."
        return [{"name": "If-Match", "in": "header", "schema": text, "description": about}]
    if operation.method == "POST":
        about = "Your own name for this request: sent again, it is done once, and answered alike."
        return [{"name": "Idempotency-Key", "in": "header", "schema": text, "description": about}]
    return []


def _refusals(operation: Operation) -> Mapping[str, Any]:
    found = _REFUSALS | (_MISSING if operation.places or operation.of_project else {})
    found |= _TOO_LARGE if operation.body is not None else {}
    return {
        status: {"description": about, "content": {"application/problem+json": {"schema": _PROBLEM}}}
        for status, about in sorted(found.items())
    }


_PROBLEM = {"$ref": "#/components/schemas/Problem"}


def _done(operation: Operation) -> dict[str, Any]:
    if operation.kind is Kind.SOCKET:
        return {"description": "A WebSocket follows."}
    return {"description": "It was done.", "content": {operation.kind.value: {"schema": operation.answer}}}
