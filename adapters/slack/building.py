"""Puts the parts of Slack together."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.routing import Route

from adapters.slack.receiving import Receiver
from adapters.slack.route import EventsRoute
from adapters.slack.web import Web
from adapters.slack.workspaces import SingleWorkspace, Workspaces
from bot.channel import Channel
from bot.errors import QuartermasterError
from bot.services import Services


def build_slack(services: Services) -> Channel:
    """Return the channel with its route POST /slack/events, unless there is no signing secret."""
    settings = services.settings
    web = Web(settings.slack_api_url)
    workspaces: Workspaces = SingleWorkspace(web, settings.slack_bot_token)
    receiver = Receiver(services)
    router = APIRouter()
    if settings.slack_signing_secret:
        endpoint = EventsRoute(settings.slack_signing_secret, receiver)
        router.routes.append(Route("/slack/events", endpoint, methods=["POST"], include_in_schema=False))

    async def ready() -> str:
        try:
            return "" if await workspaces.first() else "the app is not installed in a workspace"
        except QuartermasterError as error:
            return error.detail

    return Channel(name="slack", router=router, stop=web.close, ready=ready)
