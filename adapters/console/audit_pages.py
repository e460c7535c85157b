"""The page of the record: what happened, searched by person, request, kind and time, and taken away as a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from adapters.console.days import begin_of, end_of
from adapters.console.forms import read_form
from adapters.console.limits import TAKING_AWAY, Limits
from adapters.console.pages import Pages
from adapters.console.routes import ConsoleRouter
from adapters.console.visits import Doorkeeper, visit_of
from bot.activity import Person, clean_text
from bot.audit import Wanted
from bot.audit.files import FORMATS, written
from bot.database import Transaction
from bot.errors import Invalid, NotFound, Refused
from bot.paging import Page
from bot.requests.record import request_id_of
from bot.services import Services

PAGE = 50
FILTERS = ("person", "request", "kind", "since", "until")


class AuditPages:
    """The routes /audit…."""

    def __init__(self, services: Services, doorkeeper: Doorkeeper, pages: Pages, limits: Limits) -> None:
        self._services, self._doorkeeper, self._pages, self._limits = services, doorkeeper, pages, limits

    def add_to(self, router: ConsoleRouter) -> None:
        """Add the routes."""
        router.add("GET", "/audit", self.show)
        router.add("POST", "/audit/export", self.export)

    async def show(self, request: Request) -> Response:
        """Entries, newest first, that match the filters and that the person may read."""
        person = self._doorkeeper.require(visit_of(request))
        query = {k: clean_text(v)[:400] for k, v in request.query_params.items()}
        kept = {k: query[k] for k in FILTERS if query.get(k)}
        problem, status = "", 200
        page: Page[dict[str, object]] = Page((), "")
        try:
            wanted = self._wanted(person, query)
            page = await self._services.audit.list(**vars(wanted), cursor=query.get("cursor", ""), limit=PAGE)
        except (Invalid, NotFound, Refused) as error:
            problem, status = error.sentence(), error.status
        return self._pages.answer(
            request,
            "audit.html",
            status=status,
            problem=problem,
            entries=[(entry, _pretty(entry["payload"])) for entry in page.items],
            given={name: query.get(name, "") for name in FILTERS},
            reads_all=self._services.policy.may_audit(person).allowed,
            older="/audit?" + urlencode({**kept, "cursor": page.next_cursor}) if page.next_cursor else "",
            newest="/audit?" + urlencode(kept) if query.get("cursor") else "",
            formats=[(name, words) for name, (words, _) in FORMATS.items()],
            is_filtered=bool(kept),
        )

    async def export(self, request: Request) -> Response:
        """All that matches, oldest first, as a file; who took it away is recorded first."""
        visit = visit_of(request)
        person = self._doorkeeper.require(visit)
        form = await read_form(request, visit.session)
        self._limits.count(TAKING_AWAY, person.id)
        query = {k: clean_text(v)[:400] for k, v in form.items()}
        name = query.get("format", "")
        if name not in FORMATS:
            raise Invalid("That is no format of an export.", field="format", next_step="Choose one of those offered.")
        wanted = self._wanted(person, query)
        filters = {k: query[k] for k in FILTERS if query.get(k)}

        async def work(transaction: Transaction) -> None:
            payload = {"format": name, "filters": filters}
            await self._services.audit.record(transaction, "audit.exported", person_id=person.id, payload=payload)

        await self._services.database.write(work)
        entries = self._services.audit.stream(wanted)
        _, kind = FORMATS[name]
        file = f"audit-{self._services.clock.now():%Y%m%d-%H%M}.{name}"
        headers = {"content-disposition": f'attachment; filename="{file}"'}
        return StreamingResponse(written(name, entries), media_type=kind, headers=headers)

    def _wanted(self, person: Person, query: Mapping[str, str]) -> Wanted:
        """Return the filter; raises Invalid or NotFound for what is none, Refused for others' entries."""
        wanted = Wanted(
            person=query.get("person", ""),
            request=request_id_of(query["request"]) if query.get("request") else "",
            kind=query.get("kind", ""),
            since=begin_of(query.get("since", ""), "since"),
            until=end_of(query.get("until", ""), "until"),
        )
        if self._services.policy.may_audit(person).allowed:
            return wanted
        if wanted.person and wanted.person.casefold() != person.email:
            raise Refused("You may read the audit about yourself alone.", next_step="Leave the person empty.")
        self._services.policy.may_audit(person, person.email).require()
        return replace(wanted, person=person.email)


def _pretty(payload: object) -> str:
    return orjson.dumps(payload, option=orjson.OPT_INDENT_2).decode() if payload else ""
