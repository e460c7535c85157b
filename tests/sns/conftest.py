"""The route with an inbox that only keeps in memory."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import pytest
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.routing import Route

from adapters.sns.addresses import Addresses
from adapters.sns.certificates import Certificates
from adapters.sns.route import SnsRoute
from adapters.sns.subscribing import PATH, Subscribing
from adapters.sns.verifying import Verifier
from bot.activity import Activity
from bot.settings import SNS_HOSTS
from bot.sns import Notifications
from tests.sns.signer import NOW, TOPIC, Internet, body_of, headers


class Gate:
    """What comes through, and which addresses were opened meanwhile."""

    def __init__(self) -> None:
        self.internet = Internet()
        self.now: datetime = NOW
        self.kept: dict[str, Activity] = {}
        http = self.internet.client()
        addresses = Addresses(SNS_HOSTS)
        self.certificates = Certificates(http, now=lambda: self.now.timestamp(), wall=lambda: self.now)
        verifier = Verifier([TOPIC], addresses, self.certificates, lambda: self.now)
        subscribing = Subscribing(None, None, addresses, http)  # type: ignore[arg-type]
        route = SnsRoute(verifier, subscribing, Notifications(), self)  # type: ignore[arg-type]
        app = Starlette(routes=[Route(PATH, route, methods=["POST"])])
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot.example")

    async def receive(self, activity: Activity) -> bool:
        """Stand where the inbox would."""
        is_new = activity.key not in self.kept
        self.kept[activity.key] = activity
        return is_new

    async def posts(self, post: dict[str, Any], **more: str) -> int:
        """Post something as SNS does and return the status."""
        answer = await self.client.post(PATH, content=body_of(post), headers=headers(str(post.get("Type")), **more))
        return answer.status_code

    async def refuses(self, post: dict[str, Any], reason: str, **more: str) -> None:
        """Hold that a post is refused for that reason, that nothing is kept, and no subscription confirmed."""
        before, kept = refused(reason), len(self.kept)
        status = await self.posts(post, **more)
        assert 400 <= status < 500, f"it was answered {status}"
        assert refused(reason) == before + 1, f"it was not refused for {reason}"
        assert len(self.kept) == kept
        assert not any("ConfirmSubscription" in url for url in self.internet.opened)


def refused(reason: str) -> float:
    """How often something was refused for a reason so far."""
    return REGISTRY.get_sample_value("quartermaster_sns_refused_total", {"reason": reason}) or 0.0


@pytest.fixture
def gate() -> Gate:
    """A fresh gate."""
    return Gate()
