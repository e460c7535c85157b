"""Pages: templates, our static files' addresses, and the headers that every answer carries."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from adapters.console.visits import Visit, visit_of
from bot.activity import Person
from bot.errors import NotFound, QuartermasterError
from bot.people import shown
from bot.services import Services

HERE = Path(__file__).parent
VENDORED = HERE.parents[1] / "third_party" / "htmx"

_REQUEST_ID = re.compile(r"\b(qm-[2-9a-z]{8})\b")

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "cache-control": "no-store",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
}

KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
"""Files that browsers load, by suffix; others in the folders, such as licences, are not served."""

STATE_WORDS = {
    "awaiting_approval": "Waiting for approval",
    "approved": "Approved",
    "queued": "In the queue",
    "running": "In progress",
    "succeeded": "Done",
    "failed": "Failed",
    "rejected": "Rejected",
    "expired": "Expired",
    "cancelled": "Cancelled",
    "paused": "Paused",
    "stopping": "Stopping",
    "stopped": "Stopped",
}
STATE_TONES = {
    "awaiting_approval": "warning",
    "succeeded": "good",
    "failed": "bad",
    "rejected": "bad",
    "expired": "neutral",
    "cancelled": "neutral",
    "stopped": "neutral",
}
"""States that are not listed are under way."""

NAVIGATION = (
    ("/", "Chat"),
    ("/requests", "Requests"),
    ("/rollouts", "Roll-outs"),
    ("/experiments", "Experiments"),
    ("/insights", "Insights"),
    ("/audit", "Audit"),
)
"""The pages at the top of every page, in this order. What concerns oneself is in the menu beside."""

TRANSIENT = frozenset({"confirm", "decline", "fill", "say"})
"""Buttons that answer the question of the moment; the next answer makes them stale."""


class Assets:
    """Static files under addresses that change with their content: browsers may keep them for good."""

    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._prefixes: dict[str, str] = {}
        self._files: dict[str, tuple[bytes, str]] = {}
        for name, folder in folders.items():
            prefix = self._prefixes[name] = f"{name}-{_digest(folder)}"
            for file in folder.iterdir():
                kind = KINDS.get(file.suffix)
                if kind:
                    self._files[f"{prefix}/{file.name}"] = (file.read_bytes(), kind)

    def url(self, name: str, file: str) -> str:
        """Return the address of a file in one of the folders; KeyError when there is no such file."""
        path = f"{self._prefixes[name]}/{file}"
        _ = self._files[path]
        return f"/static/{path}"

    async def serve(self, request: Request) -> Response:
        """Answer with a file, for a year; 404 for everything else."""
        content, kind = self._files.get(f"{request.path_params['folder']}/{request.path_params['file']}", (b"", ""))
        if not kind:
            raise NotFound("There is no such file.")
        headers = {"cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
        return Response(content, media_type=kind, headers=headers)


class Pages:
    """Renders templates into answers."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.assets = Assets({"console": HERE / "static", "htmx": VENDORED})
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(
            when=_when, tone=_tone, state=_state, stages=_stages, linked=_linked, shown=shown
        )
        self._templates.tests.update(web_address=_is_web_address, own_picture=_is_own_picture)
        self._templates.globals.update(
            asset=self.assets.url,
            switch_to=self.switch_to,
            transient=TRANSIENT,
            navigation=NAVIGATION,
            title_of=self.title_of,
        )

    def render(self, template: str, visit: Visit, **values: Any) -> str:
        """Return a template as text; it knows the visit."""
        return self._templates.get_template(template).render(visit=visit, person=visit.person, **values)

    def answer(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> HTMLResponse:
        """Return a template as an answer; it knows the visit and the address asked for."""
        text = self.render(template, visit_of(request), path=request.url.path, **values)
        return HTMLResponse(text, status_code=status, headers=dict(headers or {}))

    def error(self, request: Request, error: QuartermasterError) -> HTMLResponse:
        """Return the page that explains an error; programs of ours get the same words without the page."""
        template = "_problem.html" if is_partial(request) else "problem.html"
        return self.answer(request, template, status=error.status, error=error)

    def switch_to(self, person: Person) -> str:
        """Return whom the development user most likely wants to be next: the approver, and back again."""
        settings = self._services.settings
        approver = settings.approvers[0] if settings.approvers else ""
        return settings.dev_user if person.email == approver.casefold() else approver

    def title_of(self, intent: str) -> str:
        """Return what people call an intent."""
        found = self._services.registry.get(intent)
        title = found.definition.title if found else intent
        return title[:1].upper() + title[1:]


def is_partial(request: Request) -> bool:
    """Tell whether our own scripts ask for a part of a page."""
    return "hx-request" in request.headers or request.headers.get("x-console") == "part"


def _digest(folder: Path) -> str:
    sums = hashlib.sha256()
    for file in sorted(f for f in folder.rglob("*") if f.is_file()):
        sums.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return sums.hexdigest()[:12]


def _moment(value: datetime | str) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment.astimezone(UTC)


def _when(value: datetime | str | None) -> Markup:
    """Show a moment in UTC; the page's script says it in the reader's own zone."""
    if value is None:
        return Markup("—")
    moment = _moment(value)
    machine, human = moment.isoformat(timespec="seconds"), f"{moment.day} {moment:%b %Y, %H:%M} UTC"
    return Markup('<time datetime="{}">{}</time>').format(machine, human)


def _state(state: str) -> Markup:
    words = STATE_WORDS.get(state, state.replace("_", " ").capitalize())
    return Markup('<span class="state {}">{}</span>').format(_tone(state), words)


def _tone(state: str) -> str:
    return STATE_TONES.get(state, "active")


def _stages(state: str, was_approved: bool) -> list[tuple[str, str]]:
    """Return the way of a request as (name, mark): done, now, todo or bad."""
    names = ["Asked", "Approval" if state == "awaiting_approval" else "Approved", "Under way", "Done"]
    if state in {"rejected", "expired", "cancelled"} and not was_approved:
        return [("Asked", "done"), (STATE_WORDS[state], "bad"), ("Under way", "todo"), ("Done", "todo")]
    reached = {"awaiting_approval": 1, "approved": 2, "queued": 2, "succeeded": 4}.get(state, 2)
    if state in {"failed", "cancelled", "stopped"}:
        return [("Asked", "done"), ("Approved", "done"), ("Under way", "done"), (STATE_WORDS[state], "bad")]
    marks = ["done" if n < reached else "now" if n == reached else "todo" for n in range(len(names))]
    return list(zip(names, marks, strict=True))


def _is_web_address(value: object) -> bool:
    try:
        url = urlsplit(str(value))
    except ValueError:
        return False
    return url.scheme in {"http", "https"} and bool(url.netloc)


def _is_own_picture(value: object) -> bool:
    return str(value).startswith(("data:image/png;base64,", "data:image/svg+xml;base64,"))


def _linked(text: str) -> Markup:
    """Return text with the ids of requests in it as links."""
    parts = _REQUEST_ID.split(text)
    linked = (
        Markup('<a href="/requests/{0}">{0}</a>').format(part) if odd else escape(part)
        for part, odd in zip(parts, itertools.cycle((False, True)), strict=False)
    )
    return Markup("").join(linked)
