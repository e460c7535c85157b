"""Puts the parts of Slack together."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.routing import Route

from adapters.slack.deciding import Deciding
from adapters.slack.dispatching import Dispatching
from adapters.slack.envelope import CHANNEL
from adapters.slack.forms import Forms
from adapters.slack.groups import SOURCE, SlackGroups
from adapters.slack.home import Home
from adapters.slack.homes import Homes
from adapters.slack.in_place import InPlace
from adapters.slack.install import build_install
from adapters.slack.pacing import Pacer
from adapters.slack.persons import Persons
from adapters.slack.places import Places, pace_of_conversation, pace_of_place
from adapters.slack.posting import Posting
from adapters.slack.receiving import Receiver
from adapters.slack.rooms import SlackRooms
from adapters.slack.route import PATH, EventsRoute
from adapters.slack.sending import SlackSender
from adapters.slack.socket import SocketMode
from adapters.slack.streaming import Streams
from adapters.slack.web import Web
from adapters.slack.workspaces import SingleWorkspace, Workspaces
from bot.card_copies import CardCopies
from bot.channel import Channel
from bot.errors import QuartermasterError
from bot.services import Services


def build_slack(services: Services) -> Channel:
    """Return the channel with its route POST /slack/events, unless there is no signing secret."""
    settings = services.settings
    web = Web(settings.slack_api_url)
    install = build_install(services)
    workspaces: Workspaces = install.workspaces if install else SingleWorkspace(web, settings.slack_bot_token)
    persons = Persons(services, web)
    forms, home = Forms(services, web), Home(services, web, persons)
    deciding, pacer = Deciding(services, web), Pacer(settings.slack_pace)
    homes = Homes(services, web, workspaces, persons, home, pacer)
    places, streams = Places(services, web, workspaces, persons), Streams(services, web)
    behind = Dispatching(
        services, web, workspaces, persons, places, streams, forms=forms, deciding=deciding, home=home, homes=homes
    )
    services.inbox.complete_by(CHANNEL, behind.complete)
    cards = CardCopies(
        services,
        CHANNEL,
        of_conversation=pace_of_conversation,
        of_place=pace_of_place,
        approvals_channel=settings.slack_approvals_channel,
    )
    services.conversations.carry_by(CHANNEL, cards.carry)
    services.requests.observe(cards.observe)
    services.rooms.connect(CHANNEL, SlackRooms(services, web, workspaces, places))
    services.groups.connect(SOURCE, SlackGroups(web, workspaces, persons))
    services.standing.show_by(CHANNEL, pace_of_conversation)
    services.requests.observe(homes.observe)
    sender = SlackSender(services, web, places, cards, pacer, Posting(web, places, pacer, streams), homes)
    receiver = Receiver(services, InPlace(services, workspaces, persons, forms, deciding).check)
    router = APIRouter()
    if settings.slack_signing_secret:
        endpoint = EventsRoute(settings.slack_signing_secret, receiver)
        router.routes.append(Route(PATH, endpoint, methods=["POST"], include_in_schema=False))

    if install:
        router.routes.extend(install.router.routes)

    socket = SocketMode(web, settings.slack_app_token, receiver.receive) if settings.slack_app_token else None

    async def start() -> None:
        if install:
            await install.start()
        if socket:
            await socket.start()

    async def stop() -> None:
        if socket:
            await socket.stop()
        await streams.close()
        if install:
            await install.stop()
        await web.close()

    async def ready() -> str:
        try:
            if install and (fault := await install.ready()):
                return fault
            if socket and (fault := socket.fault()):
                return fault
            return "" if await workspaces.first() else "the app is not installed in a workspace"
        except QuartermasterError as error:
            return error.detail

    return Channel(name=CHANNEL, router=router, senders={CHANNEL: sender}, start=start, stop=stop, ready=ready)
