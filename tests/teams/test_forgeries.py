"""Who may post to /api/messages: a genuine token for a genuine activity, and everything that differs by one thing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from starlette.routing import Route

from adapters.teams.keys import FRESH, PAUSE, STALE, SigningKeys
from adapters.teams.receiving import Acknowledgement
from adapters.teams.route import PATH, MessagesRoute
from adapters.teams.verifying import Verifier, is_allowed_url
from bot.errors import Unavailable
from sandbox.teams.framework import BotFramework
from sandbox.teams.signing import UNENDORSED, key, published
from sandbox.teams.tenants import Tenant
from tests.support.teams.signing import bearer
from tests.support.teams.talking import Member

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Gate:
    """The route with a receiver that only counts what came through."""

    def __init__(self, framework: BotFramework) -> None:
        self.framework, self.tenant = framework, framework.tenant()
        self.through: list[dict[str, Any]] = []
        self.http = httpx.AsyncClient()
        keys = SigningKeys(self.http, framework.url + "/v1/openid")
        allowed = [f"{framework.url}/teams/"]
        verifier = Verifier(keys, self.tenant.app_id, [self.tenant.id], allowed)
        route = MessagesRoute(verifier, self)  # type: ignore[arg-type]
        app = Starlette(routes=[Route(PATH, route, methods=["POST"])])
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bot.example")
        self.ana = Member(framework, self.tenant, self.client, self.tenant.member("ana@corp.example", "Ana Lopez"))

    async def receive(self, payload: dict[str, Any], tenant: str) -> Acknowledgement:
        """Stand where the inbox would."""
        self.through.append(payload)
        return Acknowledgement()

    async def lets_in(self, activity: Any, headers: dict[str, str]) -> int:
        """Return the status; fail when something is let through that was refused, or the other way round."""
        before = len(self.through)
        answer = await self.client.post(PATH, json=activity, headers=headers)
        assert (len(self.through) > before) == (answer.status_code == 200)
        return answer.status_code


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gate() -> AsyncIterator[Gate]:
    """One gate for the module."""
    framework = BotFramework()
    made = Gate(framework)
    yield made
    await made.client.aclose()
    await made.http.aclose()
    framework.close()


def refused(reason: str) -> float:
    return REGISTRY.get_sample_value("quartermaster_teams_refused_total", {"reason": reason}) or 0.0


async def test_a_genuine_activity_comes_in(gate: Gate) -> None:
    assert (await gate.ana.sends(gate.ana.message("hello"))).status_code == 200


NOW = int(time.time())
TOKENS: list[tuple[str, dict[str, Any], str]] = [
    ("expired ten minutes ago", {"nbf": NOW - 4000, "exp": NOW - 600}, "expired"),
    ("of no end", {"without": ["exp"]}, "missing_claim"),
    ("of no beginning", {"without": ["nbf"]}, "missing_claim"),
    ("that begins in ten minutes", {"nbf": lambda: int(time.time()) + 600}, "not_yet_valid"),
    ("for another app", {"aud": "another-app"}, "audience"),
    ("for several apps", {"aud": ["another-app"]}, "audience"),
    ("for no app", {"without": ["aud"]}, "missing_claim"),
    ("of another issuer", {"iss": "https://evil.example"}, "issuer"),
    ("of a tenant's own issuer", {"iss": "https://sts.windows.net/01234567-89ab-cdef-0123-456789abcdef/"}, "issuer"),
    ("of no issuer", {"without": ["iss"]}, "missing_claim"),
    ("by another's key under a known name", {"by": "a forger"}, "signature"),
    ("by an unknown key", {"kid": "unheard-of"}, "unknown_key"),
    ("by no key", {"alg": "none"}, "algorithm"),
    ("by a shared secret", {"alg": "HS256", "secret": "s" * 32}, "algorithm"),
    ("by RSA with another digest", {"alg": "RS512"}, "algorithm"),
    ("for another service", {"serviceurl": "https://evil.example/"}, "serviceurl"),
    ("for no service", {"without": ["serviceurl"]}, "no_serviceurl"),
    ("by a key for other channels", {"kid": UNENDORSED}, "endorsement"),
]


@pytest.mark.parametrize(("different", "reason"), [t[1:] for t in TOKENS], ids=[t[0] for t in TOKENS])
async def test_a_token_that_differs_by_one_thing_is_refused(gate: Gate, different: dict[str, Any], reason: str) -> None:
    before = refused(reason)
    claims = {name: value() if callable(value) else value for name, value in different.items()}
    headers = bearer(gate.tenant.app_id, gate.tenant.service_url, **claims)
    assert await gate.lets_in(gate.ana.message("hello"), headers) == 401
    assert refused(reason) == before + 1


async def test_the_public_key_is_no_shared_secret(gate: Gate) -> None:
    public = key("ours").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    genuine = bearer(gate.tenant.app_id, gate.tenant.service_url)["authorization"].split(".")[1]
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "kid": "key-of-the-fake"}).encode()).rstrip(b"=")
    signed = head + b"." + genuine.encode()
    mac = base64.urlsafe_b64encode(hmac.new(public, signed, hashlib.sha256).digest()).rstrip(b"=")
    token = (signed + b"." + mac).decode()
    assert await gate.lets_in(gate.ana.message("hello"), {"authorization": f"Bearer {token}"}) == 401


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer abc", "Basic YTpi", "Bearer a.b.c", "Bearer " + "x" * 20_000]
)
async def test_what_is_no_token_is_refused(gate: Gate, header: str) -> None:
    assert await gate.lets_in(gate.ana.message("hello"), {"authorization": header} if header else {}) == 401


async def test_a_genuine_token_in_another_scheme_is_refused(gate: Gate) -> None:
    token = bearer(gate.tenant.app_id, gate.tenant.service_url)["authorization"].removeprefix("Bearer ")
    assert await gate.lets_in(gate.ana.message("hello"), {"authorization": f"Token {token}"}) == 401


Change = Callable[[dict[str, Any], Tenant], dict[str, Any]]
FOREIGN = "ffffffff-0000-0000-0000-000000000000"
OTHER = {"channelData": {"tenant": {"id": FOREIGN}}}
BODIES: list[tuple[str, Change, int]] = [
    ("without a service", lambda a, _: {k: v for k, v in a.items() if k != "serviceUrl"}, 401),
    ("of an empty service", lambda a, _: {**a, "serviceUrl": ""}, 401),
    ("of another service", lambda a, _: {**a, "serviceUrl": "https://evil.example/"}, 401),
    ("of a service in a list", lambda a, _: {**a, "serviceUrl": [a["serviceUrl"]]}, 401),
    ("of a blank channel", lambda a, _: {**a, "channelId": ""}, 401),
    ("without a channel", lambda a, _: {k: v for k, v in a.items() if k != "channelId"}, 401),
    ("of a channel that the key is not for", lambda a, _: {**a, "channelId": "slack"}, 401),
    ("of a channel that lets clients name themselves", lambda a, _: {**a, "channelId": "webchat"}, 401),
    ("of a foreign tenant", lambda a, _: {**a, **OTHER, "conversation": {"id": "a:1", "tenantId": FOREIGN}}, 403),
    ("of two tenants", lambda a, _: {**a, **OTHER}, 403),
    ("of no tenant", lambda a, _: {**a, "channelData": None, "conversation": {"id": "a:1"}}, 403),
]  # fmt: skip


@pytest.mark.parametrize(("change", "status"), [b[1:] for b in BODIES], ids=[b[0] for b in BODIES])
async def test_an_activity_that_does_not_fit_its_token_is_refused(gate: Gate, change: Change, status: int) -> None:
    activity = change(gate.ana.message("hello"), gate.tenant)
    assert await gate.lets_in(activity, bearer(gate.tenant.app_id, gate.tenant.service_url)) == status


async def test_a_service_that_is_not_allowed_is_refused_although_the_token_names_it(gate: Gate) -> None:
    activity = {**gate.ana.message("hello"), "serviceUrl": "https://evil.example/"}
    assert await gate.lets_in(activity, bearer(gate.tenant.app_id, "https://evil.example/")) == 401


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b'"x"', b"\xff\xfe", b"[" * 100_000])
async def test_what_is_no_activity_is_refused_with_a_genuine_token(gate: Gate, body: bytes) -> None:
    headers = bearer(gate.tenant.app_id, gate.tenant.service_url)
    assert (await gate.client.post(PATH, content=body, headers=headers)).status_code == 400


@pytest.mark.parametrize(
    "url",
    [
        "https://smba.trafficmanager.net.evil.example/",
        "https://smba.trafficmanager.net@evil.example/",
        "http://smba.trafficmanager.net/",
        "https://smba.trafficmanager.net:8443/",
        "https://smba.trafficmanager.net/amer/../../x/",
        "https://smba.trafficmanager.net/?x=/",
        "https://smba.trafficmanager.net\\@evil.example/",
        "//smba.trafficmanager.net/",
        "https://[smba/",
        "https://smba.trafficmanager.net:x/",
        "",
    ],
)
async def test_an_address_that_only_looks_like_an_allowed_one_is_not(url: str) -> None:
    assert not is_allowed_url(url, ["https://smba.trafficmanager.net/"])


async def test_what_lies_below_an_allowed_address_is_allowed() -> None:
    allowed = ["https://smba.trafficmanager.net/"]
    assert is_allowed_url("https://smba.trafficmanager.net/amer/01234567-89ab/", allowed)
    assert is_allowed_url("https://smba.trafficmanager.net", allowed)
    assert not is_allowed_url("https://x.example/teamsters/", ["https://x.example/teams/"])


class Clock:
    """A time that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_a_flood_of_unknown_keys_fetches_the_keys_once_a_minute(gate: Gate) -> None:
    clock = Clock()
    keys = SigningKeys(gate.http, gate.framework.url + "/v1/openid", clock)
    before = gate.framework.key_fetches
    for n in range(50):
        assert await keys.find(f"unheard-of-{n}") is None
    assert gate.framework.key_fetches == before + 1
    clock.now += PAUSE
    assert await keys.find("unheard-of") is None
    assert gate.framework.key_fetches == before + 2


async def test_keys_outlive_their_publisher_for_some_days_and_no_longer(gate: Gate) -> None:
    clock = Clock()
    keys = SigningKeys(gate.http, gate.framework.url + "/v1/openid", clock)
    kid = str(published()["keys"][0]["kid"])
    assert await keys.find(kid)
    gate.framework.are_keys_down = True
    try:
        clock.now += FRESH + 1
        assert await keys.find(kid)
        clock.now += STALE
        with pytest.raises(Unavailable):
            await keys.find(kid)
    finally:
        gate.framework.are_keys_down = False
        await keys.close()


async def test_without_keys_nothing_comes_in(gate: Gate) -> None:
    keys = SigningKeys(gate.http, gate.framework.url + "/nowhere")
    verifier = Verifier(keys, gate.tenant.app_id, [gate.tenant.id], [gate.tenant.service_url])
    with pytest.raises(Unavailable):
        await verifier.token_of(bearer(gate.tenant.app_id, gate.tenant.service_url)["authorization"])
