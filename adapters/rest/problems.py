"""Errors as problem details (RFC 9457): what is wrong, with which field, and what would do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.responses import JSONResponse

from bot.errors import Invalid, QuartermasterError, Refused, Unauthenticated
from bot.http import PROBLEM, problem


class TooLarge(QuartermasterError):
    """The body is longer than any that makes sense here."""

    status = 413
    title = "Too much was sent"


class WrongMediaType(QuartermasterError):
    """The body is not said to be JSON."""

    status = 415
    title = "That is not JSON"


class TooMany(QuartermasterError):
    """The caller does something too often; `retry_after` is in seconds."""

    status = 429
    title = "Too many"

    def __init__(self, detail: str, *, retry_after: int, next_step: str = "") -> None:
        super().__init__(detail, next_step=next_step)
        self.retry_after = retry_after


class InvalidFields(Invalid):
    """Several fields are wrong; `problems` holds (field, what is wrong and what would do)."""

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field} {problem}" for field, problem in problems) + ".", field=problems[0][0])
        self.problems = tuple(problems)


def problem_response(error: QuartermasterError, **members: Any) -> JSONResponse:
    """Return the error as a problem; `members` are added to it (RFC 9457 section 3.2)."""
    if isinstance(error, InvalidFields):
        members["errors"] = [{"field": field, "problem": problem} for field, problem in error.problems]
    elif isinstance(error, Invalid):
        members["errors"] = [{"field": error.field or "body", "problem": error.detail}]
    if isinstance(error, Refused) and error.policy:
        members["policy"] = error.policy
    return problem(error.status, error.title, error.sentence(), headers=_headers(error), **members)


def _headers(error: QuartermasterError) -> dict[str, str]:
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": 'Bearer realm="quartermaster"'}
    if isinstance(error, TooMany):
        return {"Retry-After": str(error.retry_after)}
    return {}


def invalid_fields(error: RequestValidationError) -> InvalidFields:
    """Translate FastAPI's findings into sentences that name the field as the caller spelled it."""
    found: dict[str, str] = {}
    for finding in error.errors():
        found.setdefault(_field(finding["loc"]), _sentence(finding))
    return InvalidFields(list(found.items()) or [("body", "could not be read")])


def _field(place: Sequence[Any]) -> str:
    # What stands outside of the body is flat; further parts name pydantic's own branches there.
    parts = [str(part) for part in (place[1:] if place[0] == "body" else place[1:2])]
    return ".".join(parts) if parts else "body"


def _sentence(finding: Mapping[str, Any]) -> str:
    context = finding.get("ctx", {})
    match finding["type"]:
        case "missing":
            return "is required" if len(finding["loc"]) > 1 else "is required: send a JSON object"
        case "string_type":
            return "must be a text"
        case "string_too_long":
            return f"is longer than {context['max_length']:,} characters; make it shorter"
        case "string_too_short":
            return "must not be empty"
        case "model_attributes_type" | "model_type" | "dict_type":
            return "must be a JSON object"
        case "int_parsing" | "int_type" | "int_from_float" | "int_parsing_size":
            return "must be a whole number"
        case "greater_than_equal":
            return f"must be {context['ge']} or more"
        case "less_than_equal":
            return f"must be {context['le']} or less"
        case "literal_error" | "enum":
            return f"must be one of {context['expected']}"
        case "string_pattern_mismatch" if finding["loc"][-1] == "cursor":
            return "must be the next_cursor of the page before, or empty for the first page"
        case "string_pattern_mismatch":
            return f"must have the form {context['pattern']}"
        case "value_error":
            return str(context["error"])
        case _:
            return str(finding["msg"])


_PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "Problem details (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, and what to do about it."},
        "errors": {
            "type": "array",
            "description": "The fields at fault; with status 422.",
            "items": {
                "type": "object",
                "required": ["field", "problem"],
                "properties": {"field": {"type": "string"}, "problem": {"type": "string"}},
            },
        },
        "policy": {"type": "string", "description": "The policy that refused; with status 403."},
        "conversation": {"type": "string", "description": "Where the late answer will be; with status 503."},
    },
}

_MEANINGS: dict[int, tuple[str, str]] = {
    401: ("No key was sent, or it is not one of API_KEYS.", "Send a key as “Authorization: Bearer …”."),
    403: ("The key may not do that.", "This key speaks only for addresses at corp.example."),
    404: ("There is no such thing, or not for this key.", "There is no request qm-7k3m9qxa."),
    409: ("It is decided or done already.", "Request qm-7k3m9qxa is done already."),
    413: ("The body is too long.", "The body is longer than 1,000,000 bytes."),
    415: ("The body is not JSON.", "Send the body with “Content-Type: application/json”."),
    422: ("A field is missing or malformed, or the body can't be decoded.", "UserInput is required."),
    429: ("Too many wrong keys came from there, or too many streams are open.", "Wait a minute."),
    502: ("AWS refused or failed.", "AWS answered ListOrganizationInsights with AccessDeniedException."),
    503: ("A part that is needed does not answer.", "The database does not answer. Try again in a moment."),
}

_HEADERS: dict[int, tuple[str, dict[str, Any]]] = {
    401: ("WWW-Authenticate", {"type": "string"}),
    429: ("Retry-After", {"type": "integer", "minimum": 1}),
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI response objects for these statuses, and for those that any route can give."""
    return {status: _documented(status) for status in sorted({401, 403, 422, 429, 503, *statuses})}


def _documented(status: int) -> dict[str, Any]:
    description, detail = _MEANINGS[status]
    example = {"type": "about:blank", "title": "…", "status": status, "detail": detail}
    documented: dict[str, Any] = {
        "description": description,
        "content": {PROBLEM: {"schema": _PROBLEM_SCHEMA, "example": example}},
    }
    if status in _HEADERS:
        name, schema = _HEADERS[status]
        documented["headers"] = {name: {"schema": schema}}
    return documented
