"""A stage for REST: the real router, database, inbox and requests; only the dialogue is a parrot."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import uvicorn
from fastapi import FastAPI
from sqlalchemy import func, select

from adapters.rest import build
from bot import http
from bot.activity import Activity
from bot.audit import Audit
from bot.card import Button, Card, Facts, Quote
from bot.conversations import Conversations
from bot.database import Database, Transaction
from bot.database.tables import inbox, messages
from bot.dialogue.dialogue import Decided
from bot.directory import Directory
from bot.inbox import Inbox
from bot.intent import Answer, Registry
from bot.keys import Keys
from bot.people import People
from bot.plan import Plan
from bot.policy import Policy
from bot.releases.registry import Deployments
from bot.requests import RequestRecord, Requests
from bot.requests.record import new_request_id
from bot.services import Services
from bot.settings import Settings, load_settings
from bot.signals import Signals
from tests.support.tables import make_tables

REPOSITORY = Path(__file__).parents[2]
LOOPBACK = {"aws_endpoint_url": "http://127.0.0.1:9", "smtp_url": "smtp://127.0.0.1:9"}
ANA_KEY = "anas-key-0123456789"
BO_KEY = "bos-key-0123456789"
WIDE_KEY = "key-for-everybody-01"
KEYS = f"{ANA_KEY}:ana-team:corp.example,{BO_KEY}:bo-team:corp.example,{WIDE_KEY}:wide"


class StageClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)

    def wall(self) -> datetime:
        return self.at

    def now(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Parrot:
    """Answers each turn by repeating it; “file it” files a request that waits for approval.

    While `gate` is unset turns wait, so that tests can look at what happens meanwhile.
    """

    conversations: Conversations
    requests: Requests
    clock: StageClock
    heard: list[Activity] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, activity: Activity) -> Decided:
        await self.gate.wait()
        filed = self._file(activity) if activity.text == "file it" else None
        texts = [
            f"Hi {activity.person.called}, you said:",
            activity.text or f"{activity.verb} {activity.value}",
        ]
        card = Card("A card", (Quote(texts[1], activity.person.called), Facts((("name", "value"),))), (BUTTON,))

        async def commit(transaction: Transaction) -> None:
            self.heard.append(activity)
            await self.conversations.remember(transaction, activity)
            for text, shown in ((texts[0], None), (texts[1], card)):
                await self.conversations.say(transaction, activity.conversation, text, shown, inbox_key=activity.key)
            if filed:
                await self.requests.insert(transaction, filed)

        return Decided([Answer(text) for text in texts], commit, filed.id if filed else "")

    def _file(self, activity: Activity) -> RequestRecord:
        plan = Plan("AWSAccountVending", "An account", {"name": "one"}, (("Name", "one"),))
        return RequestRecord(
            id=new_request_id(),
            intent=plan.intent,
            state="awaiting_approval",
            requester=activity.person,
            owner=activity.owner,
            conversation=activity.conversation,
            tier=plan.tier,
            slots={"AccountType": "Sandbox"},
            plan=plan,
            digest=plan.digest,
            version=1,
            notes={},
            outcome=None,
            expires_at=self.clock.now() + timedelta(hours=48),
            created_at=self.clock.now(),
            updated_at=self.clock.now(),
        )


BUTTON = Button("Confirm", "confirm", "digest", "positive")


class Stage:
    """One process of the bot, as far as REST can tell."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        url = f"sqlite:///{folder / 'stage.sqlite'}"
        self.settings: Settings = load_settings(**{**LOOPBACK, "database_url": url, **settings})
        self.file = folder / "stage.sqlite"
        self.clock = StageClock()
        self.database = Database(url)
        signals = Signals()
        directory = Directory(REPOSITORY / "directory.yml", ("approver@corp.example",))
        self.policy = Policy(REPOSITORY / "policies", directory)
        self.registry = Registry()
        self.people = People(self.database, self.clock)
        self.conversations = Conversations(self.database, self.clock, signals)
        self.audit = Audit(self.database, self.clock)
        self.keys = Keys(self.database, self.clock, self.audit)
        self.requests = Requests(self.database, self.clock, self.audit, self.conversations, self.policy)
        self.deployments = Deployments(self.database, self.clock, self.audit)
        self.inbox = Inbox(self.database, self.clock, signals, "stage")
        self.parrot = Parrot(self.conversations, self.requests, self.clock)
        self.parrot.gate.set()
        self.inbox.connect(self.parrot.handle)
        self.channel = build(cast(Services, self))
        self.app = FastAPI(title="Stage")
        http.install(self.app)
        assert self.channel.router is not None
        self.app.router.routes.extend(self.channel.router.routes)

    async def start(self) -> None:
        make_tables(self.settings.database_url)
        await self.database.start()
        assert self.channel.start is not None
        await self.channel.start()

    async def stop(self) -> None:
        await self.inbox.idle()
        await self.database.close()

    def caller(self, key: str = "", *, host: str = "127.0.0.1", **headers: str) -> httpx.AsyncClient:
        """Return a client at `host` that sends `key` and these headers with every call."""
        if key:
            headers["Authorization"] = f"Bearer {key}"
        transport = httpx.ASGITransport(app=self.app, client=(host, 50000))
        return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=headers)

    async def notify(self, conversation: str, text: str) -> None:
        """Let the bot say something of its own accord."""
        key = f"notice-{text}"
        await self.database.write(
            lambda transaction: self.conversations.notify(transaction, conversation, key, text, None, "")
        )

    async def filed(self, key: str = "", email: str = "ana@corp.example") -> str:
        """File a request and return its id."""
        async with self.caller(key) as caller:
            answer = await caller.post("/v1/messages", json={"user": {"email": email}, "text": "file it"})
        return str(answer.json()["request"]["id"])

    async def count(self, table: Any, *conditions: Any) -> int:
        async with self.database.read() as connection:
            counted = select(func.count()).select_from(table).where(*conditions)
            return int((await connection.execute(counted)).scalar_one())

    async def turns(self) -> int:
        """Return how many turns were kept."""
        return await self.count(inbox)

    async def answers(self) -> int:
        """Return how many messages the bot said."""
        return await self.count(messages, messages.c.role == "bot")


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """Serve over a real socket, for what streams and for other programs; gives the base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", lifespan="off", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


def said(text: str = "hello", *, email: str = "ana@corp.example", **more: Any) -> dict[str, Any]:
    """Return a body for POST /v1/messages."""
    return {"user": {"email": email, "name": "Ana"}, "text": text, **more}


def account(text: str = "hello", /, **more: Any) -> dict[str, Any]:
    """Return a body for POST /account."""
    body = {"UserEmail": "ana@corp.example", "UserName": "Ana", "UserLastname": "Lopez", "UserInput": text}
    return {**body, **more}


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """Assert that an answer is a problem of this status and return it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = json.loads(answer.content)
    assert found["status"] == status
    assert found["detail"], found
    return found
