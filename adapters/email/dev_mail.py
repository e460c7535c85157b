"""`GET /dev/mail`: the caught mails, for a newcomer on their own machine and nobody else."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from adapters.email.catcher import CaughtMail, MailFolder
from adapters.email.negotiation import preferred
from adapters.email.rendering import render
from bot.clock import iso
from bot.errors import NotFound
from bot.guard import is_newcomer
from bot.settings import Settings

SHOWN = 100
"""Mails that the page lists; JSON has them all."""

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept",
    # The frame inherits this policy, and mails carry their styles with them.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; frame-ancestors 'none'"
    ),
}

_MAIL: dict[str, Any] = {
    "type": "object",
    "required": ["id", "to", "subject", "text", "html", "at"],
    "properties": {name: {"type": "string"} for name in ("id", "to", "subject", "text", "html", "at")},
}
_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The caught mails, newest first.",
        "content": {
            "application/json": {"schema": {"type": "array", "items": _MAIL}},
            "text/html": {"schema": {"type": "string"}},
        },
    },
    404: {
        "description": "Not the embedded default, or not from this machine.",
        "content": {"application/problem+json": {"schema": {"type": "object"}}},
    },
}


def dev_mail_router(settings: Settings, folder: MailFolder) -> APIRouter:
    """Return the route of /dev/mail; to everyone but the newcomer it answers as if it were not there."""
    router = APIRouter(tags=["development"])

    @router.get("/dev/mail", responses=_RESPONSES, summary="Caught mails, embedded default only")
    async def list_mails(request: Request, id: str | None = None) -> Response:
        """Return all mails as JSON, or as a page when Accept prefers HTML; `id` opens one on the page."""
        if not is_newcomer(settings, request):
            raise NotFound("There is nothing here.")
        mails = await asyncio.to_thread(folder.newest_first)
        if preferred(request.headers.get("accept", ""), otherwise="json") == "json":
            return JSONResponse([_as_json(mail) for mail in mails], headers=HEADERS)
        shown = next((mail for mail in mails if mail.id == id), mails[0] if mails and id is None else None)
        content = render("dev_mail.html", mails=mails[:SHOWN], shown=shown, frame=_framed(shown.html) if shown else "")
        return HTMLResponse(content, headers=HEADERS)

    return router


def _framed(html: str) -> str:
    """Return a mail's HTML for the sandboxed frame, with its links opening in the whole window."""
    target = '<base target="_top">'
    head, found, rest = html.partition("<head>")
    return head + found + target + rest if found else target + html


def _as_json(mail: CaughtMail) -> dict[str, str]:
    return {
        "id": mail.id,
        "to": mail.to,
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
        "at": iso(mail.at) or "",
    }
