"""The composition root: discovers intents, builds adapters from settings, wires both, returns the FastAPI app."""

from __future__ import annotations

import asyncio
import importlib
import pkgutil
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.staticfiles import StaticFiles

from bot import __version__, http, traces
from bot.approvals import Approvals
from bot.audit import Audit
from bot.audit.anchoring import Anchoring
from bot.audit.erasing import Erasing
from bot.causes import Causes, RequestsBefore
from bot.channel import Channel
from bot.clock import Clock, FollowingClock, SystemClock
from bot.cloud import Cloud
from bot.conversations import Conversations
from bot.database import Database
from bot.database.migrating import migrate
from bot.dialogue import Dialogue
from bot.directory import Directory
from bot.errors import CloudError
from bot.groups import Groups
from bot.holding import Holding
from bot.hours import WorkingHours
from bot.house import house_of
from bot.inbox import Inbox
from bot.intent import Registry
from bot.keys import Keys
from bot.leases import Replicas
from bot.lexshape import lex_definition
from bot.locking import ProcessLock
from bot.misses import Misses, key_of
from bot.organization import OrganizationReader
from bot.outbox import Outbox
from bot.people import People
from bot.policy import Policy, Surroundings
from bot.recognizer import Recognizer, Timed, WithFallback
from bot.releases.accounts import DeployableAccounts
from bot.releases.registry import Deployments
from bot.requests import Requests
from bot.rooms import Rooms
from bot.schedules import Schedules
from bot.services import Services
from bot.settings import Settings
from bot.signals import Signals
from bot.standing import StandingCards
from bot.watches import Watches
from bot.workflow.carrying import Carrying
from bot.workflow.durable import DurableWorkflows
from bot.workflow.scheduler import Scheduler

log = structlog.get_logger(__name__)

ADAPTERS = ("slack", "teams", "rest", "email", "console", "sns")
VITAL = ("database", "recogniser", "workflows")
"""Parts without which a process should get no traffic; the others are told, and the rest goes on without them."""
CLOCK_PACE = 1.0
"""Seconds between readings of the sandbox's clock."""


class Application:
    """One process, built but not started; `app` is what uvicorn serves."""

    def __init__(self, settings: Settings, *, clock: Clock | None = None, cloud: Cloud | None = None) -> None:
        self.settings = settings
        self.cloud: Cloud = cloud or build_cloud(settings)
        self.clock: Clock = clock or build_clock(settings)
        self.services = build_services(settings, self.clock, self.cloud)
        self.services.registry = discover(self.services)
        self.recognizer = build_recognizer(settings, self.services.registry, self.cloud)
        dialogue = Dialogue(self.services, self.recognizer)
        self.services.inbox.connect(dialogue.handle)
        self.workflows = DurableWorkflows(workflow_url(settings), self.services.replica)
        self.carrying = Carrying(self.services, self.workflows)
        self.scheduler = Scheduler(self.services, self.carrying, self.workflows)
        self.channels = [self._channel(name) for name in ADAPTERS]
        importlib.import_module("adapters.identity_center").connect(self.services)
        self.services.groups.check()
        self.lock = ProcessLock(Path(self.services.database.url.database or "") if self._is_sqlite else None)
        self._tasks: list[asyncio.Task[None]] = []
        self.app = self._build_app()

    @property
    def _is_sqlite(self) -> bool:
        return self.services.database.is_sqlite

    def _channel(self, name: str) -> Channel:
        channel: Channel = importlib.import_module(f"adapters.{name}").build(self.services)
        self.services.outbox.connect(channel.senders)
        return channel

    async def start(self) -> None:
        """Migrate, start every part, and take up what a former process left undone."""
        self.lock.take()
        await asyncio.to_thread(migrate, self.settings.database_url)
        await self.services.database.start()
        if isinstance(self.clock, FollowingClock):
            with suppress(CloudError):
                await self.clock.follow()
            self._run(self._follow(self.clock))
        await self.services.groups.load()
        for channel in self.channels:
            if channel.start:
                await channel.start()
        await self.workflows.start(self.carrying.run_segment)
        await self.scheduler.start()
        if self._is_sqlite:
            await self.services.outbox.release_all()
        await self.services.inbox.take_over(everything=self._is_sqlite)
        self._run(self.scheduler.run())
        self._run(self.services.outbox.run())
        self._run(self.services.inbox.run())
        self._run(self.services.organization.keep_warm())
        self._run(self.services.groups.run())
        log.info("started", version=__version__, replica=self.services.replica, recogniser=self.recognizer.name)

    async def stop(self) -> None:
        """Stop every part; what is under way goes on at the next start or on another replica."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        stops = [channel.stop for channel in self.channels if channel.stop]
        for stop in (
            *stops,
            self.services.inbox.idle,
            *self.services.closers,
            self.services.charts.close,
            self.scheduler.stop,
            self.workflows.stop,
            self.services.database.close,
        ):
            try:
                await stop()
            except Exception:  # one part that can't be stopped in order must not keep the others from it
                log.exception("stop.failed")
        self.lock.release()

    def _run(self, work: Any) -> None:
        self._tasks.append(asyncio.create_task(work))

    async def _follow(self, clock: FollowingClock) -> None:
        while True:
            await asyncio.sleep(CLOCK_PACE)
            try:
                await clock.follow()
            except CloudError as error:
                log.warning("clock.not_followed", error=error.detail)

    def _build_app(self) -> FastAPI:
        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            await self.start()
            try:
                yield
            finally:
                await self.stop()

        app = FastAPI(
            title="Quartermaster",
            version=__version__,
            summary="ChatOps for platform teams on AWS",
            lifespan=lifespan,
            docs_url=None,
            redoc_url=None,
        )
        http.install(app)
        traces.configure(self.settings.otel_exporter_otlp_endpoint)
        self._add_operations(app)
        for channel in self.channels:
            if channel.router:
                # As they are: including the router would build every route anew, at the first request.
                app.router.routes.extend(channel.router.routes)
            for prefix, folder in channel.static.items():
                app.mount(prefix, StaticFiles(directory=folder), name=prefix.strip("/").replace("/", "-"))
        return app

    def _add_operations(self, app: FastAPI) -> None:
        @app.get("/healthz", tags=["operations"], summary="Alive")
        async def healthz() -> dict[str, str]:
            """Say that the process is alive; asks nothing else."""
            return {"status": "ok", "version": __version__}

        @app.get("/readyz", tags=["operations"], summary="Able to serve", responses={503: {"description": "Not ready"}})
        async def readyz() -> JSONResponse:
            """Tell each part's state; 503 when one that is needed does not answer."""
            parts = await self.readiness()
            ready = not any(fault for name, fault in parts.items() if name in VITAL)
            states = {name: fault or "ok" for name, fault in parts.items()}
            return JSONResponse({"ready": ready, "parts": states}, 200 if ready else 503)

        for path, answer in (("/healthz", healthz), ("/readyz", readyz)):  # load balancers ask with HEAD too
            app.add_api_route(path, answer, methods=["HEAD"], include_in_schema=False)

        @app.get("/metrics", tags=["operations"], summary="Prometheus metrics", response_class=Response)
        async def metrics() -> Response:
            """Return the metrics in Prometheus' text format."""
            return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def readiness(self) -> dict[str, str]:
        """Return each part's fault, empty when it is well."""
        parts = {"database": "", "recogniser": "", "workflows": ""}
        try:
            # A write, not a read: a full disk or a lost lock lets one read on.
            async with asyncio.timeout(2):
                await Replicas(self.services.database, self.clock, self.services.replica).beat()
        except Exception as error:
            parts["database"] = f"{type(error).__name__}"
        try:
            async with asyncio.timeout(self.settings.lex_timeout + 1):
                await self.recognizer.recognize("readiness-probe", "help", {})
        except Exception as error:
            parts["recogniser"] = f"{type(error).__name__}"
        if any(task.done() for task in self._tasks):
            parts["workflows"] = "a background task has ended"
        parts["directory"] = self.services.directory.fault
        parts["groups"] = self.services.groups.fault
        parts["policies"] = self.services.policy.fault
        for channel in self.channels:
            parts[channel.name] = await channel.ready() if channel.ready else ""
        return parts


def build_cloud(settings: Settings) -> Cloud:
    """Return AWS as the settings say."""
    cloud: Cloud = importlib.import_module("adapters.aws").build(settings)
    return cloud


def build_clock(settings: Settings) -> Clock:
    """Return the clock: the sandbox's while AWS is the sandbox, else the system's."""
    if not settings.is_sandbox:
        return SystemClock()
    return FollowingClock(importlib.import_module("adapters.aws").sandbox_clock(settings))


def build_services(settings: Settings, clock: Clock, cloud: Cloud) -> Services:
    """Wire the core's own parts."""
    signals = Signals()
    replica = secrets.token_hex(8)
    database = Database(settings.database_url)
    directory = Directory(settings.directory_file, settings.approvers)
    house, working = house_of(settings), WorkingHours.parse(settings.working_hours)
    surroundings = Surroundings(clock.now, working, house.freeze_at, house.environments, freeze_of=house.freeze_named)
    policy = Policy(settings.policy_dir, directory, surroundings, signs_in=settings.uses_oidc)
    people = People(database, clock)
    audit = Audit(database, clock)
    conversations = Conversations(database, clock, signals)
    outbox = Outbox(database, clock, signals, replica)
    requests = Requests(database, clock, audit, conversations, policy)
    approvals = Approvals(
        database,
        clock,
        signals,
        directory,
        policy,
        people,
        requests,
        conversations,
        outbox,
        audit,
        hours=settings.approval_hours,
        working=working,
        follows="Observe mode: nothing will be changed."
        if settings.mode == "observe"
        else "Now it is being carried out.",
        topic=settings.sns_approval_topic_arn,
        console_url=settings.public_url,
        signs_in=settings.uses_oidc,
    )
    outbox.report_to(approvals.on_given_up)
    organization = OrganizationReader(cloud, settings, database)
    return Services(
        settings=settings,
        house=house,
        clock=clock,
        database=database,
        signals=signals,
        cloud=cloud,
        directory=directory,
        groups=Groups(
            database,
            clock,
            audit,
            directory,
            pace=timedelta(minutes=settings.groups_minutes),
            keep=timedelta(hours=settings.groups_keep_hours),
        ),
        policy=policy,
        people=people,
        conversations=conversations,
        audit=audit,
        outbox=outbox,
        requests=requests,
        approvals=approvals,
        sign_ins=approvals.sign_ins,
        inbox=Inbox(database, clock, signals, replica, conversations),
        holding=Holding(database, clock, signals, audit),
        misses=Misses(database, clock, key_of(settings)),
        anchoring=Anchoring(settings, database, clock, cloud, audit),
        erasing=Erasing(database, clock, audit),
        keys=Keys(database, clock, audit),
        organization=organization,
        deployments=Deployments(database, clock, audit, settings.deployment_table),
        deployable=DeployableAccounts(cloud, settings, organization),
        rooms=Rooms(),
        standing=StandingCards(database, clock, conversations, outbox),
        watches=Watches(database, clock, audit),
        schedules=Schedules(database, clock, audit),
        causes=Causes([RequestsBefore(database, timedelta(minutes=settings.insight_cause_minutes))]),
        replica=replica,
    )


def discover(services: Services, package: str = "intents") -> Registry:
    """Return all intents found in the folders of a package; each folder offers create(services)."""
    registry = Registry()
    found = importlib.import_module(package)
    for module in sorted(pkgutil.iter_modules(found.__path__), key=lambda m: m.name):
        folder = importlib.import_module(f"{package}.{module.name}")
        for intent in folder.create(services):
            registry.add(intent)
    return registry


def build_recognizer(settings: Settings, registry: Registry, cloud: Cloud) -> Recognizer:
    """Return the local engine, or Lex with the local engine behind it."""
    engine = importlib.import_module("adapters.lex.local")
    definition = lex_definition(registry, locale=settings.lex_locale_id)
    local: Recognizer = Timed(engine.LocalRecognizer(definition, settings.var_dir / "engine"))
    if not settings.lex_bot_id:
        return local
    runtime = importlib.import_module("adapters.lex.runtime")
    return WithFallback(Timed(runtime.LexRecognizer(cloud, settings)), local, settings.lex_timeout)


def workflow_url(settings: Settings) -> str:
    """Return where the workflow engine keeps its state: a file of its own, or the same PostgreSQL database."""
    if settings.workflow_database_url:
        return settings.workflow_database_url
    url = settings.database_url
    if url.startswith("sqlite"):
        return url.removesuffix(".sqlite") + "-workflows.sqlite"
    return url


def create_app(settings: Settings) -> FastAPI:
    """Return the FastAPI app for these settings."""
    return Application(settings).app
