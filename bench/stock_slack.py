"""What ours is measured against: slack-bolt under FastAPI as its guide has it, with one listener that does nothing."""

from __future__ import annotations

import os
from typing import Any

from fastapi import FastAPI, Request
from slack_bolt.adapter.fastapi.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from starlette.responses import Response


async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
    """Serve every workspace, without asking Slack."""
    return AuthorizeResult(
        enterprise_id=enterprise_id,
        team_id=team_id,
        bot_token="xoxb-1",  # noqa: S106 - no token, and never used
        bot_id="B1",
        bot_user_id="U0LAN0Z89",
    )


bolt = AsyncApp(signing_secret=os.environ["STOCK_SECRET"], authorize=authorize)
handler = AsyncSlackRequestHandler(bolt)
app = FastAPI()


@bolt.event("app_mention")
async def on_mention(event: dict[str, Any]) -> None:
    """Do nothing."""


@app.post("/slack/events")
async def events(request: Request) -> Response:
    """Hand everything to Bolt."""
    return await handler.handle(request)
