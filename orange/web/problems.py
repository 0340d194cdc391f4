"""Refusals as RFC 9457 problem documents. Pure: values in, values out.

Next in the flow: `app` sends them.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from orange.core.jobs import JobRefused
from orange.core.problems import AlreadyClaimed, IllegalTransition, InvalidInput, OrangeError
from orange.core.service.admission import Refusal


def problem(status: int, code: str, detail: str, **more: object) -> dict[str, Any]:
    """Make a problem document; the title is the status's own phrase."""
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail, **more}


def of_error(error: OrangeError) -> dict[str, Any]:
    """Make the document of a refused request."""
    return problem(error.http_status, error.code, error.message, **_parts(error))


def of_refusal(refusal: Refusal) -> dict[str, Any]:
    """Make the document of a request that was not let in."""
    return problem(refusal.status, refusal.code, refusal.message)


def _parts(error: OrangeError) -> dict[str, object]:
    if isinstance(error, IllegalTransition):
        legal, blockers = list(error.legal), list(error.blockers)
        return {"task": error.task, "from": error.source, "to": error.target, "legal": legal, "blockers": blockers}
    if isinstance(error, (InvalidInput, JobRefused)):
        return {"field": error.field}
    return {"task": error.task, "holder": error.holder} if isinstance(error, AlreadyClaimed) else {}
