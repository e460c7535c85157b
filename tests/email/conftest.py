"""A desk: the real core on a database of its own, with the e-mail adapter in front of it."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI

from adapters.email import build
from bot import http
from bot.channel import Channel, Delivery
from bot.database import Transaction
from bot.main import build_services
from bot.plan import Check, Plan
from bot.requests import RequestRecord
from bot.requests.record import new_request_id
from bot.services import Services
from bot.settings import Settings
from tests.email.fakes import FakeCloud, MovedClock, Toy
from tests.support.tables import make_tables

ROOT = Path(__file__).parents[2]
BO = "bo@corp.example"


@dataclass
class Desk:
    """What a test works with: services, the channel, a client, and requests placed at will."""

    services: Services
    channel: Channel
    app: FastAPI
    client: httpx.AsyncClient
    clock: MovedClock
    cloud: FakeCloud

    async def place(
        self, *, name: str = "rocket", requester: str = "ana@corp.example", **changes: Any
    ) -> RequestRecord:
        """Put a request up for approval and return it."""
        person = await self.services.people.of_email(requester, name=changes.pop("requester_name", "Ana Example"))
        plan = Plan(
            intent="MakeToy",
            summary=changes.pop("summary", f"Make the toy {name}"),
            effects={"name": name},
            details=changes.pop("details", (("Toy", name), ("Shelf", "ou-1234-abcd (Root/Toys)"))),
            checks=changes.pop("checks", (Check("Wood", "ok", "There is enough wood."),)),
        )
        now = self.clock.now()
        values: dict[str, Any] = {
            "id": new_request_id(),
            "intent": "MakeToy",
            "state": "awaiting_approval",
            "requester": person,
            "owner": "",
            "conversation": "test:1",
            "tier": "standard",
            "slots": {"ToyName": name},
            "plan": plan,
            "digest": plan.digest,
            "version": 1,
            "notes": {"approvers": [BO]},
            "outcome": None,
            "expires_at": self.services.approvals.expires_at(),
            "created_at": now,
            "updated_at": now,
        }
        record = RequestRecord(**{**values, **changes})

        async def work(transaction: Transaction) -> None:
            await self.services.requests.insert(transaction, record)
            await self.services.approvals.ask(transaction, record)

        await self.services.database.write(work)
        return record

    async def approval_of(self, record: RequestRecord) -> str:
        """Return the id of the approval that Bo was asked for."""
        async with self.services.database.read() as connection:
            rows = await connection.exec_driver_sql(
                "select id from approvals where request_id = ? order by version desc", (record.id,)
            )
            return str(rows.first()[0])  # type: ignore[index] # the row was written by `place`

    async def link_to(self, record: RequestRecord) -> str:
        """Return the path of a fresh approval link."""
        minted = await self.services.approvals.mint(await self.approval_of(record))
        assert minted is not None
        return f"/account/confirm/{minted[0]}"

    async def deliver(self, channel: str, payload: dict[str, Any], key: str = "key-1") -> None:
        """Do what the outbox does."""
        await self.channel.senders[channel](Delivery(key, channel, payload, 1))


@pytest.fixture
def settings_of(tmp_path: Path) -> Callable[..., Settings]:
    """Makes settings like those of `make run`, on free ports."""

    def make(**changes: Any) -> Settings:
        values: dict[str, Any] = {
            "port": 0,
            "public_url": "http://127.0.0.1:8000",
            "var_dir": tmp_path / "var",
            "database_url": f"sqlite:///{tmp_path / 'bot.sqlite'}",
            "aws_endpoint_url": "http://127.0.0.1:8001",
            "approvers": BO,
            "policy_dir": ROOT / "policies",
            "directory_file": tmp_path / "directory.yml",
        }
        return Settings(**{**values, **changes})

    return make


@asynccontextmanager
async def desks(settings_of: Callable[..., Settings]) -> AsyncIterator[Callable[..., Awaitable[Desk]]]:
    """Give a maker of desks; those made are closed at the end."""
    opened: list[Desk] = []

    async def make(**changes: Any) -> Desk:
        settings = settings_of(**changes)
        make_tables(settings.database_url)
        clock, cloud = MovedClock(), FakeCloud()
        services = build_services(settings, clock, cloud)
        services.registry.add(Toy(services))
        await services.database.start()
        channel = build(services)
        app = FastAPI()
        http.install(app)
        assert channel.router is not None
        app.router.routes.extend(channel.router.routes)
        transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 50000))
        client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")
        opened.append(Desk(services, channel, app, client, clock, cloud))
        return opened[-1]

    yield make
    for desk in opened:
        await desk.client.aclose()
        if desk.channel.stop:
            await desk.channel.stop()
        await desk.services.database.close()


@pytest.fixture
async def make_desk(settings_of: Callable[..., Settings]) -> AsyncIterator[Callable[..., Any]]:
    """Makes desks; those made are closed at the test's end."""
    async with desks(settings_of) as make:
        yield make


@pytest.fixture
async def desk(make_desk: Callable[..., Any]) -> Desk:
    """A desk with the embedded default's settings."""
    made: Desk = await make_desk()
    return made


@pytest_asyncio.fixture(loop_scope="session")
async def served(settings_of: Callable[..., Settings]) -> AsyncIterator[Desk]:
    """A desk that a browser can reach, with its catcher listening; on the loop that the browser lives on."""
    async with desks(settings_of) as make:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            desk = await make(public_url=f"http://127.0.0.1:{listening.getsockname()[1]}")
            assert desk.channel.start is not None
            await desk.channel.start()
            server = uvicorn.Server(uvicorn.Config(desk.app, log_level="warning", access_log=False))
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            try:
                yield desk
            finally:
                server.should_exit = True
                await serving
