"""Signing in and out: at the identity provider, or as anybody on the newcomer's own machine."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from adapters.console.forms import read_form, safe_path
from adapters.console.freshness import Freshness, freshness_in
from adapters.console.pages import Pages
from adapters.console.routes import ConsoleRouter
from adapters.console.sessions import SIGNIN, CookieJar, Sessions
from adapters.console.visits import Doorkeeper, browser_of, visit_of
from bot.activity import Person, clean_text
from bot.errors import NotFound, Refused
from bot.services import Services
from bot.settings import Settings

if TYPE_CHECKING:
    from adapters.console.oidc import IdentityProvider


class SignIn:
    """The routes /signin…, /signout and /signedout."""

    def __init__(
        self, services: Services, cookies: CookieJar, sessions: Sessions, doorkeeper: Doorkeeper, pages: Pages
    ) -> None:
        self._services, self._cookies, self._sessions = services, cookies, sessions
        self._doorkeeper, self._pages = doorkeeper, pages
        self._provider = _provider(services.settings)

    def add_to(self, router: ConsoleRouter) -> None:
        """Add the routes."""
        router.add("GET", "/signin", self.begin)
        router.add("GET", "/signin/callback", self.finish)
        router.add("POST", "/signin/dev", self.switch)
        router.add("POST", "/signout", self.leave)
        router.add("GET", "/signedout", self.show_signed_out)

    async def begin(self, request: Request) -> Response:
        """Send the person to the identity provider; with `fresh` it asks them anew."""
        wanted, following = freshness_in(request.query_params), safe_path(request.query_params.get("next", "/"))
        if self._provider is None:
            self._doorkeeper.require(visit_of(request))
            if wanted is None:
                return RedirectResponse("/", 303)
            return self._pages.answer(request, "again.html", wanted=wanted, following=following)
        transit: dict[str, object] = {}
        response = await self._provider.begin(request, transit, wanted)
        kept: dict[str, Any] = {"transit": transit, "next": following}
        if wanted is not None:
            kept |= {"fresh": wanted.max_age.total_seconds(), "acr": list(wanted.acr)}
        await self._cookies.write(response, SIGNIN, kept)
        return response

    async def finish(self, request: Request) -> Response:
        """Take the person back from the identity provider, into a new session."""
        if self._provider is None:
            raise NotFound("There is no identity provider to come back from.")
        kept = await self._cookies.read(request, SIGNIN) or {}
        wanted = Freshness(timedelta(seconds=kept["fresh"]), tuple(kept["acr"])) if "fresh" in kept else None
        identity = await self._provider.finish(request, dict(kept.get("transit", {})), wanted)
        people = self._services.people
        person = await people.of_identity("oidc", identity.platform_id)
        if person is None:
            person = await people.of_email(
                identity.email,
                name=identity.name,
                given_name=identity.given_name,
                family_name=identity.family_name,
                authoritative=True,
            )
            await people.link("oidc", identity.platform_id, person)
        visit = visit_of(request)
        session = await self._sessions.begin(
            person,
            "oidc",
            issuer=self._services.settings.oidc_issuer,
            browser=browser_of(request),
            instead_of=visit.session,
        )
        if identity.at is not None:
            await self._services.sign_ins.record(person, session.token, identity.at, identity.acr)
        visit.sign_in(person, session)
        response = RedirectResponse(safe_path(str(kept.get("next", "/"))), 303)
        self._cookies.erase(response, SIGNIN)
        return response

    async def switch(self, request: Request) -> Response:
        """Let the newcomer go on as somebody else, such as the approver."""
        visit = visit_of(request)
        form = await read_form(request, visit.session)
        if not visit.may_switch:
            raise Refused("Only the development user may act as somebody else.")
        person: Person = await self._services.people.of_email(form.get("email", ""))
        session = await self._sessions.begin(person, "dev", browser=browser_of(request), instead_of=visit.session)
        if "again" in form:  # nobody's identity is checked here, so whatever way was asked for is as good
            acr = clean_text(form.get("acr", ""))
            await self._services.sign_ins.record(person, session.token, self._services.clock.wall(), acr)
        visit.sign_in(person, session)
        return RedirectResponse(safe_path(form.get("next", "/")), 303)

    async def leave(self, request: Request) -> Response:
        """Sign out here, or everywhere; the identity provider's own session is its own affair."""
        visit = visit_of(request)
        form = await read_form(request, visit.session)
        if form.get("where", "") == "everywhere" and visit.person is not None:
            await self._sessions.end_all(visit.person)
        else:
            await self._sessions.end(visit.session)
        visit.sign_out()
        return RedirectResponse("/signedout", 303)

    async def show_signed_out(self, request: Request) -> Response:
        """Say that it worked, and offer the way back in."""
        return self._pages.answer(request, "signed_out.html")


def _provider(settings: Settings) -> IdentityProvider | None:
    """Return the identity provider, None without one: what speaks to it is loaded only then, for a faster start."""
    if not settings.uses_oidc:
        return None
    from adapters.console.oidc import IdentityProvider

    return IdentityProvider(settings)
