"""What goes out to Teams, and what is done when it does not: tokens, waits, conversations that are gone."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import select

from adapters.teams.connector import Connector, TeamsRefused, TryLater
from adapters.teams.credentials import Secret
from adapters.teams.pictures import Pictures
from adapters.teams.places import Places
from adapters.teams.sending import TeamsSender, pace_of_conversation, pace_of_place
from adapters.teams.tokens import EARLY, KeptToken
from adapters.teams.views import Views
from bot.card_copies import CardCopies
from bot.channel import Delivery, DeliveryFailed
from bot.database.tables import messages
from bot.errors import Unavailable
from sandbox.teams.tenants import Tenant
from tests.teams.conftest import Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

WORDS = {"type": "message", "text": "hello", "textFormat": "plain"}


class Clock:
    """A time that stands until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def tokens_of(scene: Scene, http: httpx.AsyncClient, clock: Clock | None = None, secret: str = "") -> KeptToken:
    tenant: Tenant = scene.tenant
    proof = Secret(f"{scene.framework.url}/{tenant.id}", tenant.app_id, secret or tenant.secret)
    return KeptToken(http, proof, clock or Clock())


async def test_a_token_is_fetched_once_until_shortly_before_its_end(scene: Scene) -> None:
    clock = Clock()
    async with httpx.AsyncClient() as http:
        tokens = tokens_of(scene, http, clock)
        before = len(scene.tenant.proofs)
        assert await tokens.token() == await tokens.token()
        assert len(scene.tenant.proofs) == before + 1
        clock.now += 3599 - EARLY - 1
        await tokens.token()
        assert len(scene.tenant.proofs) == before + 1
        clock.now += 2
        await tokens.token()
        assert len(scene.tenant.proofs) == before + 2


async def test_a_wrong_secret_is_told_without_the_secret(scene: Scene) -> None:
    async with httpx.AsyncClient() as http:
        with pytest.raises(Unavailable, match="invalid_client") as told:
            await tokens_of(scene, http, secret="a-lapsed-secret").token()
    assert "a-lapsed-secret" not in told.value.sentence()
    assert "TEAMS_APP_SECRET" in told.value.sentence()


async def test_a_token_that_is_refused_is_fetched_anew(scene: Scene) -> None:
    async with httpx.AsyncClient() as http:
        tokens = tokens_of(scene, http)
        connector = Connector(http, tokens, [scene.tenant.service_url])
        await connector.send(scene.tenant.service_url, "a:tokens", WORDS)
        scene.tenant.tokens.clear()
        with pytest.raises(TryLater):
            await connector.send(scene.tenant.service_url, "a:tokens", WORDS)
        assert await connector.send(scene.tenant.service_url, "a:tokens", WORDS)


async def test_no_token_goes_to_a_service_that_is_not_allowed(scene: Scene) -> None:
    async with httpx.AsyncClient() as http:
        connector = Connector(http, tokens_of(scene, http), ["https://smba.trafficmanager.net/"])
        before = len(scene.tenant.calls)
        with pytest.raises(TeamsRefused, match="TEAMS_SERVICE_URLS"):
            await connector.send(scene.tenant.service_url, "a:1", WORDS)
        assert len(scene.tenant.calls) == before


async def test_an_id_leads_to_no_other_path(scene: Scene) -> None:
    async with httpx.AsyncClient() as http:
        connector = Connector(http, tokens_of(scene, http), [scene.tenant.service_url])
        await connector.send(scene.tenant.service_url, "../../x?y=1#z", WORDS)
    assert [sent.conversation for sent in scene.said("../../x?y=1#z")] == ["../../x?y=1#z"]


async def test_an_update_stands_in_place_of_the_first(scene: Scene) -> None:
    async with httpx.AsyncClient() as http:
        connector = Connector(http, tokens_of(scene, http), [scene.tenant.service_url])
        number = await connector.send(scene.tenant.service_url, "a:updated", WORDS)
        await connector.update(scene.tenant.service_url, "a:updated", number, {**WORDS, "text": "goodbye"})
    (sent,) = scene.said("a:updated")
    assert (sent.activity["text"], sent.versions) == ("goodbye", 2)


def sender_of(scene: Scene, connector: Connector) -> TeamsSender:
    services = scene.stage.application.services
    places, pictures = Places(services, connector), Pictures(services)
    cards = CardCopies(services, "teams", of_conversation=pace_of_conversation, of_place=pace_of_place)
    return TeamsSender(services, connector, places, cards, Views(services, places, cards, pictures))


async def delivery_of(scene: Scene, conversation: str) -> Delivery:
    """Return the delivery of the last thing that the bot said in a conversation."""
    query = select(messages.c.seq).where(messages.c.conversation == conversation, messages.c.role == "bot")
    async with scene.stage.application.services.database.read() as connection:
        seq = list((await connection.execute(query.order_by(messages.c.seq))).scalars())[-1]
    return Delivery(f"teams:message:{seq}", "teams", {"kind": "message", "seq": seq}, attempt=1)


@pytest.mark.parametrize(
    ("status", "headers", "least", "most"),
    [
        (429, {"Retry-After": "7"}, 7.0, 10.5),
        (429, {}, 2.0, 3.0),
        (412, {}, 2.0, 3.0),
        (502, {}, 2.0, 3.0),
        (504, {"Retry-After": "soon"}, 2.0, 3.0),
    ],
)
async def test_what_passes_is_tried_again_never_before_it_was_asked_for(
    scene: Scene, status: int, headers: dict[str, str], least: float, most: float
) -> None:
    ana = scene.member()
    await ana.sends(ana.message("help"))
    await scene.settles()
    async with httpx.AsyncClient() as http:
        connector = Connector(http, tokens_of(scene, http), [scene.tenant.service_url])
        sender = sender_of(scene, connector)
        delivery = await delivery_of(scene, f"teams:{scene.tenant.id}:{ana.personal}")
        scene.tenant.answers.append((status, headers))
        with pytest.raises(DeliveryFailed) as failed:
            await sender(delivery)
        assert failed.value.retryable
        assert failed.value.retry_after is not None
        assert least <= failed.value.retry_after <= most


@pytest.mark.parametrize("status", [403, 404])
async def test_a_conversation_that_is_gone_is_not_tried_for_ever(scene: Scene, status: int) -> None:
    ana = scene.member()
    await ana.sends(ana.message("help"))
    await scene.settles()
    services = scene.stage.application.services
    place = f"teams:{scene.tenant.id}:{ana.personal}"
    async with httpx.AsyncClient() as http:
        connector = Connector(http, tokens_of(scene, http), [scene.tenant.service_url])
        sender = sender_of(scene, connector)
        scene.tenant.answers.append((status, {}))
        with pytest.raises(DeliveryFailed) as failed:
            await sender(await delivery_of(scene, place))
    assert not failed.value.retryable
    record = await services.conversations.get(place)
    assert record is not None
    assert record.address["is_gone"]
