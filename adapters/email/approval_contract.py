"""What OpenAPI says about the approval page: bodies that it takes, and every answer that it gives."""

from __future__ import annotations

from typing import Any

from adapters.email.decision_form import MAX_REASON

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "field": {"type": "string"},
    },
}
_APPROVAL: dict[str, Any] = {
    "type": "object",
    "required": ["request", "status", "approver", "version", "plan", "digest"],
    "properties": {
        "request": {
            "type": "object",
            "required": ["id", "state"],
            "properties": {"id": {"type": "string"}, "state": {"type": "string"}},
        },
        "status": {"enum": ["open", "decided"]},
        "approver": {"type": "string"},
        "requester": {"type": "string"},
        "version": {"type": "integer"},
        "plan": {"type": "object"},
        "digest": {"type": "string"},
        "expires_at": {"type": ["string", "null"]},
        "decision": {"type": ["string", "null"]},
        "decided_by": {"type": ["string", "null"]},
        "decided_at": {"type": ["string", "null"]},
        "reason": {"type": ["string", "null"]},
        "in_place_of": {"type": ["string", "null"], "description": "For whom the approver stands in."},
        "sign_in_at": {"type": ["string", "null"], "description": "Where to decide, if a fresh sign-in is asked for."},
    },
}


def _decision(**reason: Any) -> dict[str, Any]:
    words = {"maxLength": MAX_REASON, "description": "Required to reject.", **reason}
    return {
        "schema": {
            "type": "object",
            "required": ["decision"],
            "properties": {"decision": {"enum": ["approve", "reject"]}, "reason": words},
        }
    }


BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/x-www-form-urlencoded": _decision(type="string"),
            "multipart/form-data": _decision(type="string"),
            "application/json": _decision(type=["string", "null"]),
        },
    }
}


def _problem(description: str) -> dict[str, Any]:
    content = {"text/html": {"schema": {"type": "string"}}, "application/problem+json": {"schema": _PROBLEM}}
    return {"description": description, "content": content}


def _shown(description: str) -> dict[str, Any]:
    content = {"text/html": {"schema": {"type": "string"}}, "application/json": {"schema": _APPROVAL}}
    return {"description": description, "content": content}


LOOKS: dict[int | str, dict[str, Any]] = {
    200: _shown("The plan with a form, or the outcome once it is decided."),
    404: _problem("No such link."),
    410: _problem("Expired, superseded or withdrawn."),
    422: _problem("A parameter is malformed."),
}
DECIDES: dict[int | str, dict[str, Any]] = {
    200: _shown("Decided, by this very call."),
    403: _problem("Sent from another site, policy refuses the approver, or a fresh sign-in is asked for."),
    404: _problem("No such link."),
    409: _problem("Decided already."),
    410: _problem("Expired, superseded or withdrawn."),
    413: _problem("The body is too large."),
    415: _problem("The body is neither a form nor JSON."),
    422: _problem("The decision or its reason is missing or malformed."),
}
