"""A stage: the core's real parts on a database of their own, a scripted conversation, the console on top."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI
from sqlalchemy import update

from adapters.console import build
from bot import http
from bot.activity import Activity, Person
from bot.card import Button, Card, Checks, Facts, Quote, Text
from bot.channel import Channel
from bot.database import Transaction
from bot.database.tables import requests
from bot.dialogue.dialogue import Decided
from bot.intent import Answer, Definition, Intent
from bot.main import build_services
from bot.plan import Check, Plan
from bot.requests import RequestRecord
from bot.requests.record import new_request_id
from bot.services import Services
from bot.settings import Settings
from tests.support.tables import make_tables

ROOT = Path(__file__).parents[2]
CSRF = re.compile(r'name="csrf" value="([^"]+)"')
START = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

Script = Callable[[Activity], Awaitable[list[Answer]]]


class StandingClock:
    """Moves only when told to."""

    def __init__(self) -> None:
        self.time = START

    def wall(self) -> datetime:
        """Return real time."""
        return datetime.now(UTC)

    def now(self) -> datetime:
        """Return the time set; each look is a second later, so that histories have an order."""
        self.time += timedelta(seconds=1)
        return self.time


class NoCloud:
    """An AWS that nobody may call here."""

    async def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        """Refuse."""
        raise AssertionError(f"the console called {service} {operation}")

    def pages(self, service: str, operation: str, result: str, /, **parameters: Any) -> AsyncIterator[dict[str, Any]]:
        """Refuse."""
        raise AssertionError(f"the console called {service} {operation}")


class Example(Intent):
    """An intent that only lends its names and examples."""

    shape = "change"

    def define(self) -> Definition:
        """Say what people could ask."""
        return Definition(
            name="AWSAccountVending",
            title="New AWS account",
            description="Orders an account.",
            utterances=("I need a new account",),
            examples=(
                "I need a new account on AWS",
                "A sandbox account in Demos for team-x@corp.example, please",
            ),
        )


def sample_plan(**changes: Any) -> Plan:
    """Return a plan as people see it."""
    values: dict[str, Any] = {
        "intent": "AWSAccountVending",
        "summary": "Sandbox account “team-x” in Demos",
        "effects": {"AccountEmail": "team-x@corp.example", "OU": "ou-abcd-11111111"},
        "details": (
            ("Account type", "Sandbox"),
            ("Account name", "team-x"),
            ("Root e-mail", "team-x@corp.example"),
            ("Organizational unit", "Demos (ou-abcd-11111111)"),
            ("Product", "AWS Control Tower Account Factory"),
        ),
        "checks": (
            Check("Root e-mail", "ok", "is not used by any account."),
            Check("Quota", "ok", "7 of 10 accounts are used."),
            Check("Control Tower", "waits", "5 operations are under way; this one would be the sixth."),
        ),
    }
    return Plan(**(values | changes))


class Stage:
    """Everything a console needs, with handles for tests. What the bot answers is up to `script`."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        chosen: dict[str, Any] = {
            "aws_endpoint_url": "http://127.0.0.1:1",
            "var_dir": folder,
            "database_url": f"sqlite:///{folder / 'console.sqlite'}",
            "directory_file": folder / "directory.yml",
            "policy_dir": ROOT / "policies",
            "dev_user": "ana@corp.example",
        }
        self.settings = Settings(**(chosen | settings))
        self.directory_file = folder / "directory.yml"
        if not self.directory_file.exists():
            self.directory_file.write_text("people: [{email: olga@corp.example, groups: [operators]}]\n")
        self.clock = StandingClock()
        self.heard: list[Activity] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.script: Script = self.echo
        self.services = self._wire()
        self.channel: Channel = build(self.services)
        self.app = FastAPI()
        http.install(self.app)
        assert self.channel.router is not None
        self.app.router.routes.extend(self.channel.router.routes)

    def _wire(self) -> Services:
        make_tables(self.settings.database_url)
        services = build_services(self.settings, self.clock, NoCloud())
        services.inbox.connect(self.handle)
        services.registry.add(Example(services))
        return services

    async def start(self) -> None:
        """Start the database's writer."""
        await self.services.database.start()

    async def stop(self) -> None:
        """Finish what is under way."""
        await self.services.inbox.idle()
        await self.services.database.close()

    # ------------------------------------------------------------------------------ the conversation

    async def handle(self, activity: Activity) -> Decided:
        """Answer as scripted, in the core's own way."""
        self.heard.append(activity)
        await self.gate.wait()
        answers = await self.script(activity)

        async def commit(transaction: Transaction) -> None:
            await self.services.conversations.remember(transaction, activity)
            for answer in answers:
                await self.services.conversations.say(
                    transaction, activity.conversation, answer.text, answer.card, inbox_key=activity.key
                )

        return Decided(answers, commit)

    async def echo(self, activity: Activity) -> list[Answer]:
        """Repeat what was said or pressed."""
        return [Answer(f"You said: {activity.text or activity.verb + ' ' + activity.value}")]

    async def say(self, conversation: str, text: str, card: Card | None = None) -> None:
        """Let the bot say something of its own accord."""

        async def work(transaction: Transaction) -> None:
            await self.services.conversations.say(transaction, conversation, text, card)

        await self.services.database.write(work)

    # ------------------------------------------------------------------------------ requests

    async def person(self, email: str) -> Person:
        """Return the person of that address."""
        return await self.services.people.of_email(email)

    async def ask(self, email: str, plan: Plan | None = None, *, conversation: str = "c-elsewhere") -> RequestRecord:
        """Put a request of that person's up for approval."""
        person, plan, now = await self.person(email), plan or sample_plan(), self.clock.now()
        record = RequestRecord(
            id=new_request_id(),
            intent=plan.intent,
            state="awaiting_approval",
            requester=person,
            owner="",
            conversation=conversation,
            tier="standard",
            slots={"AccountType": "Sandbox"},
            plan=plan,
            digest=plan.digest,
            version=1,
            notes={"approvers": list(self.services.approvals.approvers_for(plan))},
            outcome=None,
            expires_at=now + timedelta(hours=48),
            created_at=now,
            updated_at=now,
        )

        async def work(transaction: Transaction) -> None:
            await self.services.requests.insert(transaction, record)
            await self.services.approvals.ask(transaction, record)

        await self.services.database.write(work)
        return record

    async def settle(self, record: RequestRecord, state: str, **outcome: Any) -> None:
        """Bring a request to a state, as its workflow would."""

        async def work(transaction: Transaction) -> None:
            await transaction.execute(
                update(requests)
                .where(requests.c.id == record.id)
                .values(state=state, outcome=outcome or None, updated_at=self.clock.now())
            )

        await self.services.database.write(work)

    # ------------------------------------------------------------------------------ browsers

    def visitor(self, **headers: str) -> Visitor:
        """Return somebody at a browser without scripts, on this machine."""
        return Visitor(self, headers)

    @asynccontextmanager
    async def served(self, port: int = 0, *, patience: int = 2) -> AsyncIterator[str]:
        """Serve the console on a free port, or again on that of the last time; gives its address.

        At the end, the server waits `patience` seconds for answers that do not end by themselves.
        """
        with socket.create_server(("127.0.0.1", port)) as listener:
            config = uvicorn.Config(
                self.app, log_level="error", lifespan="off", ws="none", timeout_graceful_shutdown=patience
            )
            server = UpServer(config)
            task = asyncio.create_task(server.serve(sockets=[listener]))
            await server.is_up.wait()
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                server.should_exit = True
                await task


@asynccontextmanager
async def started(stage: Stage) -> AsyncIterator[Stage]:
    """Run a stage while the block runs."""
    await stage.start()
    yield stage
    await stage.stop()


class UpServer(uvicorn.Server):
    """Says when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.is_up.set()


class Visitor(httpx.AsyncClient):
    """A browser: keeps cookies, and finds the form token of the page it saw last."""

    def __init__(self, stage: Stage, headers: dict[str, str], client: str = "127.0.0.1") -> None:
        transport = httpx.ASGITransport(stage.app, client=(client, 40000))
        super().__init__(transport=transport, base_url=stage.settings.public_url, headers=headers)
        self.csrf = ""

    async def see(self, path: str) -> httpx.Response:
        """Open a page and remember its form token."""
        response = await self.get(path)
        if found := CSRF.search(response.text):
            self.csrf = found[1]
        return response

    async def submit(self, path: str, **fields: str) -> httpx.Response:
        """Post a form of the page seen last."""
        return await self.post(path, data={"csrf": self.csrf, **fields})

    async def become(self, email: str) -> None:
        """Act as somebody else, as the development user may."""
        await self.see("/")
        response = await self.submit("/signin/dev", email=email)
        assert response.status_code == 303
        await self.see("/")


def plan_card(digest: str = "d" * 64) -> Card:
    """Return a card with everything on it that a plan's card has."""
    plan = sample_plan()
    return Card(
        title=plan.summary,
        items=(
            Facts(plan.details),
            Checks((("done", "Quota", "7 of 10 accounts are used."), ("failed", "Name", "is taken."))),
            Quote("for <b>our</b> demo", "ana@corp.example"),
            Text("Nothing has happened yet.", subtle=True),
        ),
        buttons=(Button("Yes, go ahead", "confirm", digest, "positive"), Button("No", "decline", digest)),
    )
