"""Puts the parts of Teams together."""

from __future__ import annotations

import httpx
from fastapi import APIRouter
from starlette.routing import Route

from adapters.teams.arrivals import CHANNEL
from adapters.teams.completing import Completing
from adapters.teams.connector import Connector
from adapters.teams.groups import SOURCE, EntraGroups
from adapters.teams.invoking import Presses
from adapters.teams.keys import SigningKeys
from adapters.teams.persons import Persons
from adapters.teams.pictures import PATH as PICTURES
from adapters.teams.pictures import Pictures
from adapters.teams.places import Places
from adapters.teams.receiving import Receiver
from adapters.teams.rooms import TeamsRooms
from adapters.teams.route import PATH, MessagesRoute
from adapters.teams.sending import TeamsSender, pace_of_conversation, pace_of_place
from adapters.teams.tokens import token_source
from adapters.teams.verifying import Verifier
from adapters.teams.views import Views
from bot.card_copies import CardCopies
from bot.channel import Channel
from bot.errors import QuartermasterError
from bot.services import Services

LIMIT = 15.0
"""Seconds that one call may take."""


def build_teams(services: Services) -> Channel:
    """Return the channel with its route POST /api/messages."""
    settings = services.settings
    http = httpx.AsyncClient(timeout=LIMIT, limits=httpx.Limits(max_connections=50), follow_redirects=False)
    keys = SigningKeys(http, settings.teams_openid_url)
    tokens = token_source(settings, http)
    connector = Connector(http, tokens, settings.teams_service_urls)
    persons = Persons(services, connector, settings.teams_allowed_tenants)
    places = Places(services, connector)
    cards = CardCopies(
        services,
        CHANNEL,
        of_conversation=pace_of_conversation,
        of_place=pace_of_place,
        approvals_channel=settings.teams_approvals_channel,
    )
    pictures = Pictures(services)
    views = Views(services, places, cards, pictures)
    sender = TeamsSender(services, connector, places, cards, views)
    completing = Completing(services, connector, persons, places, views, sender)
    services.inbox.complete_by(CHANNEL, completing.complete)
    services.conversations.carry_by(CHANNEL, cards.carry)
    services.requests.observe(cards.observe)
    services.rooms.connect(CHANNEL, TeamsRooms(places))
    services.groups.connect(SOURCE, EntraGroups(services, http))
    services.standing.show_by(CHANNEL, pace_of_conversation)
    verifier = Verifier(keys, settings.teams_app_id, settings.teams_allowed_tenants, settings.teams_service_urls)
    router = APIRouter()
    endpoint = MessagesRoute(verifier, Receiver(services, Presses(services, persons, views)))
    router.routes.append(Route(PATH, endpoint, methods=["POST"], include_in_schema=False))
    router.routes.append(Route(PICTURES, pictures.serve, methods=["GET"], include_in_schema=False))

    async def stop() -> None:
        await completing.close()
        await keys.close()
        await http.aclose()

    async def ready() -> str:
        try:
            await tokens.token()
        except QuartermasterError as error:
            return error.detail
        return ""

    return Channel(name=CHANNEL, router=router, senders={CHANNEL: sender}, start=pictures.start, stop=stop, ready=ready)
