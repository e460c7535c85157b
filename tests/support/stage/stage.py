"""The stage: one whole bot in this process on a real socket, beside a sandboxed AWS whose time stands still."""

from __future__ import annotations

import asyncio
import shutil
import socket
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import httpx
import uvicorn

from bot.clock import FollowingClock
from bot.cloud import Cloud
from bot.database import Database
from bot.database.engine import Work
from bot.database.migrating import migrate
from bot.main import Application, build_cloud
from bot.settings import Settings, load_settings
from bot.workflow.durable import DurableWorkflows
from sandbox.server import Sandbox
from sandbox.teams.framework import BotFramework
from sandbox.teams.tenants import Tenant
from tests.support.slack.standin import StandIn, Workspace
from tests.support.stage.approver import Approver
from tests.support.stage.channels import open_line
from tests.support.stage.people import Speaker
from tests.support.stage.slack import SlackSide
from tests.support.stage.teams import TeamsSide
from tests.support.stage.three_ways import ThreeWays
from tests.support.stage.waiting import PATIENCE, eventually, tell_news
from tests.support.teams.cards import check_activity

APPROVER = "bo@corp.example"
REPOSITORY = Path(__file__).parents[3]
LONG = 3.0
"""Seconds for which a jump of the clock waits for what is under way: some of it hangs on purpose."""


class Theatre:
    """What all stages of a run share: the sandbox, and a migrated SQLite file to copy."""

    def __init__(self, folder: Path, *, accounts: int | None = None, ous: int | None = None) -> None:
        self.sandbox = Sandbox(speed=0, accounts=accounts, ous=ous).start()
        self._clouds: dict[tuple[Any, ...], Cloud] = {}
        self.ways: ThreeWays | None = None
        self._slack: StandIn | None = None
        self._teams: BotFramework | None = None
        self._template = folder / "template.sqlite"
        migrate(f"sqlite:///{self._template}")
        self._workflows = folder / "template-workflows.sqlite"

    def close(self) -> None:
        """Stop the sandbox, and Slack and Teams where they were needed."""
        self.sandbox.stop()
        if self.ways is not None:
            self.ways.close()
        if self._slack is not None:
            self._slack.close()
        if self._teams is not None:
            self._teams.close()

    @property
    def slack(self) -> StandIn:
        """The stand-in for Slack, started at first use."""
        if self._slack is None:
            self._slack = StandIn()
        return self._slack

    @property
    def teams(self) -> BotFramework:
        """The stand-in for the Bot Framework, started at first use."""
        if self._teams is None:
            self._teams = BotFramework(check_activity)
        return self._teams

    def _cloud(self, settings: Settings) -> Cloud:
        """Return one Cloud for all stages of like settings: making boto3's clients takes longer than a story."""
        lex = (settings.lex_timeout, settings.lex_concurrency)
        like = (settings.mode, settings.management_role_arn, settings.aws_region, *lex)
        if like not in self._clouds:
            self._clouds[like] = build_cloud(settings)
        return self._clouds[like]

    async def _make_workflows(self) -> None:
        """Have the workflow engine make its tables once: it takes sixty migrations for that."""
        if self._workflows.exists():
            return

        async def nothing(wait: int) -> None:
            return None

        made = self._workflows.with_suffix(".making")
        engine = DurableWorkflows(f"sqlite:///{made}", "template")
        await engine.start(nothing)
        await engine.stop()
        asyncio.get_running_loop()._default_executor = None  # type: ignore[attr-defined]  # ended with the engine
        made.rename(self._workflows)

    @asynccontextmanager
    async def open_stage(
        self,
        folder: Path,
        *,
        database_url: str = "",
        slack: Workspace | bool = False,
        teams: Tenant | bool = False,
        **settings: Any,
    ) -> AsyncIterator[Stage]:
        """Run a bot with these settings on the sandbox's seed; one at a time, the workflow engine is a singleton.

        With `slack` it serves a fresh workspace of the stand-in, or the one given; with `teams` likewise a tenant.
        """
        async with httpx.AsyncClient(base_url=self.sandbox.url) as sandbox:
            (await sandbox.post("/_sandbox/reset")).raise_for_status()
        if not database_url:
            await self._make_workflows()
            shutil.copyfile(self._template, folder / "quartermaster.sqlite")
            shutil.copyfile(self._workflows, folder / "quartermaster-workflows.sqlite")
        listening = socket.create_server(("127.0.0.1", 0))
        chosen = {
            "aws_endpoint_url": self.sandbox.url,
            "port": 0,  # the mail catcher takes a free port then, instead of PORT+2
            "public_url": f"http://127.0.0.1:{listening.getsockname()[1]}",
            "var_dir": folder,
            "database_url": database_url,
            "approvers": APPROVER,
            "house_file": REPOSITORY / "house.yml",
            "directory_file": REPOSITORY / "directory.yml",
            "policy_dir": REPOSITORY / "policies",
        }
        workspace = self.slack.workspace() if slack is True else slack or None
        side = SlackSide(self.slack, workspace) if workspace else None
        tenant = self.teams.tenant() if teams is True else teams or None
        tenancy = TeamsSide(self.teams, tenant) if tenant else None
        chat = (side.settings if side else {}) | (tenancy.settings if tenancy else {})
        known = load_settings(**(chosen | chat | settings))
        application = Application(known, cloud=self._cloud(known))
        if self.ways is not None:
            await self.ways.watch(application)
        _tell_of_writes(application.services.database)
        under_way = UnderWay(application)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(_served(application, listening))
            stage = Stage(application, self.sandbox.url, stack, under_way, side, tenancy)
            yield stage


@cache
def _aws_client(service: str, url: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


class UnderWay:
    """Counts what the bot does of its own accord just now: segments of workflows, looks of watchers, jobs."""

    def __init__(self, application: Application) -> None:
        self._scheduler, self._segments = application.scheduler, 0
        run = application.carrying.run_segment

        async def count(wait: int) -> None:
            self._segments += 1
            try:
                await run(wait)
            finally:
                self._segments -= 1
                tell_news()

        application.carrying.run_segment = count  # type: ignore[method-assign]

    @property
    def is_over(self) -> bool:
        """Whether nothing is under way."""
        tasks = (*self._scheduler._looking.values(), *self._scheduler._periodic._running.values())
        return not self._segments and all(task.done() for task in tasks)


def _tell_of_writes(database: Database) -> None:
    """Have what waits for an effect look again after each write."""
    write = database.write

    async def tell(work: Work[Any]) -> Any:
        try:
            return await write(work)
        finally:
            tell_news()

    database.write = tell  # type: ignore[method-assign]


class _Server(uvicorn.Server):
    """Says when it serves."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@asynccontextmanager
async def _served(application: Application, listening: socket.socket) -> AsyncIterator[None]:
    # A connection that is unused for five seconds, as uvicorn keeps it, can be closed while its next request comes in.
    config = uvicorn.Config(
        application.app, log_config=None, access_log=False, lifespan="on", ws="none", timeout_keep_alive=600
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    up = asyncio.create_task(server.is_up.wait())
    await asyncio.wait((serving, up), return_when=asyncio.FIRST_COMPLETED)
    assert server.started, "the bot did not start; its log says why"
    try:
        yield
    finally:
        server.should_exit = True
        await serving
        listening.close()
        # DBOS made its threads the loop's own and has ended them; whoever comes next on this loop needs others.
        asyncio.get_running_loop()._default_executor = None  # type: ignore[attr-defined]


class Stage:
    """One running bot; gives people their lines, moves time, and switches faults of the sandboxed AWS."""

    def __init__(
        self,
        application: Application,
        sandbox_url: str,
        stack: AsyncExitStack,
        under_way: UnderWay,
        slack: SlackSide | None = None,
        teams: TeamsSide | None = None,
    ) -> None:
        self.application = application
        self._under_way = under_way
        self._slack, self._teams = slack, teams
        for side in (slack, teams):
            if side is not None:
                side.services = application.services
        self.url = application.settings.public_url
        self._stack = stack
        self._sandbox = httpx.AsyncClient(base_url=sandbox_url, timeout=30)
        stack.push_async_callback(self._sandbox.aclose)
        self._client = self.client()

    # ------------------------------------------------------------------------------ people

    def client(self) -> httpx.AsyncClient:
        """Return a client of the bot's, with cookies of its own."""
        client = httpx.AsyncClient(base_url=self.url, timeout=60)
        self._stack.push_async_callback(client.aclose)
        return client

    def speaker(self, name: str, *, channel: str = "rest", email: str = "") -> Speaker:
        """Return somebody who talks to the bot on a channel; ana@corp.example for “Ana Lopez”."""
        email = email or f"{name.partition(' ')[0].casefold()}@corp.example"
        return Speaker(name, email, open_line(channel, self.client(), email, name, self._slack, self._teams))

    @property
    def slack(self) -> SlackSide:
        """Slack beside this stage, which was opened with it."""
        assert self._slack is not None, "this stage has no Slack"
        return self._slack

    @property
    def teams(self) -> TeamsSide:
        """Teams beside this stage, which was opened with it."""
        assert self._teams is not None, "this stage has no Teams"
        return self._teams

    def approver(self, email: str = APPROVER) -> Approver:
        """Return somebody who reads that mailbox."""
        return Approver(email, self.client())

    # ------------------------------------------------------------------------------ time and faults

    async def advance(self, **by: float) -> None:
        """Let simulated time pass, such as minutes=25; what follows from it is waited for by what is heard.

        What is under way ends before, unless it takes long: what it decides to do in a minute would else be a minute
        from the new time, at which the clock stands still.
        """
        end = time.monotonic() + LONG
        while not self._under_way.is_over and time.monotonic() < end:  # noqa: ASYNC110 - tasks of many kinds
            await asyncio.sleep(0.01)
        seconds = timedelta(**by).total_seconds()
        (await self._sandbox.post("/_sandbox/clock", json={"advance": seconds})).raise_for_status()
        clock = self.application.clock
        assert isinstance(clock, FollowingClock)
        await clock.follow()  # now, rather than at its next reading
        self.application.services.signals.set("scheduler")

    async def switches_on(self, fault: str, **options: Any) -> None:
        """Switch a fault of the sandboxed AWS on."""
        answer = await self._sandbox.post("/_sandbox/faults", json={"name": fault, "on": True, **options})
        assert answer.status_code == 200, answer.text

    async def switches_off(self, fault: str) -> None:
        """Switch a fault of the sandboxed AWS off."""
        answer = await self._sandbox.post("/_sandbox/faults", json={"name": fault, "on": False})
        assert answer.status_code == 200, answer.text

    async def pushes_commit(self, **texts: str) -> str:
        """Push a commit to the shop's repository, as `POST /_sandbox/commits` takes it; returns its id."""
        answer = await self._sandbox.post("/_sandbox/commits", json=texts)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["commitId"])

    async def makes_pipelines(self, **wish: Any) -> None:
        """Make or change pipelines, as `POST /_sandbox/pipelines` takes them."""
        answer = await self._sandbox.post("/_sandbox/pipelines", json=wish)
        assert answer.status_code == 200, answer.text

    async def makes_deployables(self, **wish: Any) -> list[dict[str, str]]:
        """Make what CodeDeploy deploys to, as `POST /_sandbox/deployables` takes it; returns the records."""
        answer = await self._sandbox.post("/_sandbox/deployables", json=wish)
        assert answer.status_code == 200, answer.text
        records: list[dict[str, str]] = answer.json()["deployments"]
        return records

    # ------------------------------------------------------------------------------ what is so

    @property
    def aws_url(self) -> str:
        """Where the sandboxed AWS listens."""
        return str(self._sandbox.base_url)

    def aws(self, service: str) -> Any:
        """Return a boto3 client of the sandboxed AWS, to change the world behind the bot's back."""
        return _aws_client(service, self.aws_url)

    async def calls(self, operation: str, service: str = "") -> list[dict[str, Any]]:
        """Return the calls of one operation that the sandboxed AWS has had, oldest first."""
        wanted = {"operation": operation, **({"service": service} if service else {})}
        answer = await self._sandbox.get("/_sandbox/calls", params=wanted)
        entries: list[dict[str, Any]] = answer.json()
        return entries

    async def view(self, request: str) -> dict[str, Any]:
        """Return a request as REST shows it."""
        answer = await self._client.get(f"/v1/requests/{request}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def requests(self) -> list[dict[str, Any]]:
        """Return all requests, newest first."""
        answer = await self._client.get("/v1/requests")
        found: list[dict[str, Any]] = answer.json()["requests"]
        return found

    async def reaches(self, request: str, state: str, *, within: float = PATIENCE) -> dict[str, Any]:
        """Wait until the request is in that state and return its view."""
        view: dict[str, Any] = {}

        async def has_come() -> bool:
            view.update(await self.view(request))
            return bool(view["state"] == state)

        await eventually(has_come, lambda: f"{request} is {view.get('state')}, not {state}: {view}", within=within)
        return view
