"""What all HTTP routes share: problem details, headers, access log, metrics. Only route templates are ever written."""

from __future__ import annotations

import html
import secrets
import time
from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.errors import Invalid, QuartermasterError, Unauthenticated
from bot.metrics import HTTP_SECONDS
from bot.traces import span

log = structlog.get_logger(__name__)

PROBLEM = "application/problem+json"
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
}
"""Set on every response that doesn't set its own."""
MAX_BODY = 1_000_000
"""Bytes that a body may have, on every route."""


def install(app: FastAPI) -> None:
    """Install error handlers and the middleware."""
    app.add_exception_handler(QuartermasterError, _on_expected)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(Exception, _on_unexpected)
    app.add_middleware(Surroundings)


def problem(
    status: int, title: str, detail: str, *, headers: dict[str, str] | None = None, **members: Any
) -> JSONResponse:
    """Return RFC 9457 problem details."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **members}
    return JSONResponse(body, status, media_type=PROBLEM, headers=headers)


def wants_page(request: Request) -> bool:
    """Tell whether the client is a browser that navigates, so that errors should be pages."""
    accept = request.headers.get("accept", "")
    return "text/html" in accept and not request.url.path.startswith(("/v1/", "/account"))


async def _on_expected(request: Request, error: Exception) -> Response:
    if not isinstance(error, QuartermasterError):
        raise error
    headers = {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthenticated) else None
    members = {"field": error.field} if isinstance(error, Invalid) and error.field else {}
    return _respond(request, error.status, error.title, error.sentence(), headers, **members)


async def _on_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    titles = {404: "Not found", 405: "Method not allowed"}
    detail = {404: "There is nothing at this address.", 405: "This address doesn't take that method."}
    status = error.status_code
    return _respond(
        request, status, titles.get(status, "Request refused"), detail.get(status, str(error.detail)), error.headers
    )


async def _on_validation(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    errors = [
        {"field": ".".join(str(p) for p in e["loc"] if p not in ("body", "query", "path")), "problem": _said(e)}
        for e in error.errors()
    ]
    first = errors[0] if errors else {"field": "", "problem": "The request is malformed."}
    detail = f"{first['field']}: {first['problem']}" if first["field"] else first["problem"]
    return problem(422, Invalid.title, detail, errors=errors)


def _said(error: Mapping[str, Any]) -> str:
    """Return what is wrong with a field, without regular expressions."""
    if error.get("type") != "string_pattern_mismatch":
        return str(error["msg"])
    if error["loc"][-1] == "cursor":
        return "This is no cursor of ours; take next_cursor of the page before."
    return "This is not written as it must be; /openapi.json shows how."


async def _on_unexpected(request: Request, error: Exception) -> Response:
    # This runs outside of Surroundings, so neither its context nor its headers are there.
    reference = getattr(request.state, "request_id", "")
    log.error("http.failed", request_id=reference, error_type=type(error).__name__, exc_info=error)
    detail = (
        "Something went wrong on our side. It may or may not have been done; look before you repeat it "
        f"(reference {reference})."
    )
    return _respond(request, 500, QuartermasterError.title, detail, {**HEADERS, "x-request-id": reference})


def _respond(request: Request, status: int, title: str, detail: str, headers: Any, **members: Any) -> Response:
    if wants_page(request):
        page = (
            '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>{html.escape(title)}</title><h1>{html.escape(title)}</h1><p>{html.escape(detail)}</p>"
            '<p><a href="/">Back to the console</a></p></html>'
        )
        return HTMLResponse(page, status, headers=headers)
    return problem(status, title, detail, headers=dict(headers) if headers else None, **members)


class Surroundings:
    """ASGI middleware around every request: size limit, ids, headers, access log, metrics, traces."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        begun = time.perf_counter()
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                present = {name.lower() for name, _ in message.get("headers", [])}
                extra = [(n.encode(), v.encode()) for n, v in HEADERS.items() if n.encode() not in present]
                extra.append((b"x-request-id", request_id.encode()))
                message = {**message, "headers": [*message.get("headers", []), *extra]}
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id), span(scope["method"]) as traced:
            try:
                if _is_too_large(scope):
                    too_large = problem(413, "Too large", f"A body may have at most {MAX_BODY} bytes.")
                    await too_large(scope, receive, send_with_headers)
                else:
                    await self._app(scope, _limited(receive), send_with_headers)
            except _TooLarge:
                too_large = problem(413, "Too large", f"A body may have at most {MAX_BODY} bytes.")
                await too_large(scope, receive, send_with_headers)
            finally:
                route = template_of(scope)
                seconds = time.perf_counter() - begun
                HTTP_SECONDS.labels(_method(scope), route, str(status)).observe(seconds)
                if traced is not None:
                    traced.update_name(f"{_method(scope)} {route}")
                    traced.set_attribute("http.route", route)
                    traced.set_attribute("http.response.status_code", status)
                log.info("http", method=_method(scope), route=route, status=status, ms=round(seconds * 1000, 1))


class _TooLarge(Exception):
    """The body went past the limit while it was read."""


def _is_too_large(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return bool(value.isdigit()) and int(value) > MAX_BODY
    return False


def _limited(receive: Receive) -> Receive:
    read = 0

    async def limited() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > MAX_BODY:
            raise _TooLarge
        return message

    return limited


def template_of(scope: Scope) -> str:
    """Return the template of the route that matched, such as /account/confirm/{token}; never the path itself."""
    route = scope.get("route")
    return str(getattr(route, "path", "") or "(unmatched)")


def _method(scope: Scope) -> str:
    method = scope["method"]
    return method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "OTHER"
