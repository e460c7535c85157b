"""Signing in and out: at the identity provider, or as anybody on the newcomer's own machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from adapters.console.forms import read_form, safe_path
from adapters.console.pages import Pages
from adapters.console.routes import ConsoleRouter
from adapters.console.sessions import SIGNIN, CookieJar, Session
from adapters.console.visits import Doorkeeper, visit_of
from bot.activity import Person
from bot.errors import NotFound, Refused
from bot.services import Services
from bot.settings import Settings

if TYPE_CHECKING:
    from adapters.console.oidc import IdentityProvider


class SignIn:
    """The routes /signin…, /signout and /signedout."""

    def __init__(self, services: Services, cookies: CookieJar, doorkeeper: Doorkeeper, pages: Pages) -> None:
        self._services, self._cookies, self._doorkeeper, self._pages = services, cookies, doorkeeper, pages
        self._provider = _provider(services.settings)

    def add_to(self, router: ConsoleRouter) -> None:
        """Add the routes."""
        router.add("GET", "/signin", self.begin)
        router.add("GET", "/signin/callback", self.finish)
        router.add("POST", "/signin/dev", self.switch)
        router.add("POST", "/signout", self.leave)
        router.add("GET", "/signedout", self.show_signed_out)

    async def begin(self, request: Request) -> Response:
        """Send the person to the identity provider."""
        if self._provider is None:
            self._doorkeeper.require(visit_of(request))
            return RedirectResponse("/", 303)
        transit: dict[str, object] = {}
        response = await self._provider.begin(request, transit)
        wanted = safe_path(request.query_params.get("next", "/"))
        await self._cookies.write(response, SIGNIN, {"transit": transit, "next": wanted})
        return response

    async def finish(self, request: Request) -> Response:
        """Take the person back from the identity provider, into a new session."""
        if self._provider is None:
            raise NotFound("There is no identity provider to come back from.")
        kept = await self._cookies.read(request, SIGNIN) or {}
        identity = await self._provider.finish(request, dict(kept.get("transit", {})))
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
        session = Session.begin(person.id, "oidc", self._services.settings.oidc_issuer)
        visit_of(request).sign_in(person, session)
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
        visit.sign_in(person, Session.begin(person.id, "dev"))
        return RedirectResponse(safe_path(form.get("next", "/")), 303)

    async def leave(self, request: Request) -> Response:
        """Sign out here; the identity provider's own session is its own affair."""
        visit = visit_of(request)
        await read_form(request, visit.session)
        await self._cookies.end_session(visit.session)
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
