"""Puts the console together."""

from __future__ import annotations

from adapters.console.absences import Absences
from adapters.console.audit_pages import AuditPages
from adapters.console.chat import Chat
from adapters.console.experiment_pages import ExperimentPages
from adapters.console.glass_pages import GlassPages
from adapters.console.insight_pages import InsightPages
from adapters.console.key_pages import KeyPages
from adapters.console.limits import Limits
from adapters.console.overview import Overview
from adapters.console.pages import Pages
from adapters.console.request_list import RequestList
from adapters.console.request_pages import RequestPages
from adapters.console.review_pages import ReviewPages
from adapters.console.rollout_pages import RolloutPages
from adapters.console.routes import ConsoleRouter
from adapters.console.sessions import CookieJar, Sessions
from adapters.console.signin import SignIn
from adapters.console.visits import Doorkeeper
from adapters.console.watch_pages import WatchPages
from bot.channel import Channel
from bot.services import Services


def build(services: Services) -> Channel:
    """Return the channel "console": its pages, and the files that they use under /static."""
    cookies, sessions = CookieJar(services), Sessions(services)
    doorkeeper = Doorkeeper(services, cookies, sessions)
    pages = Pages(services)
    limits = Limits(services.clock)
    router = ConsoleRouter(doorkeeper, pages, limits)
    overview = Overview(services)
    SignIn(services, cookies, sessions, doorkeeper, pages).add_to(router)
    Chat(services, doorkeeper, pages, overview).add_to(router)
    RequestList(services, doorkeeper, pages, overview).add_to(router)
    RequestPages(services, doorkeeper, pages, overview).add_to(router)
    ExperimentPages(services, doorkeeper, pages, overview).add_to(router)
    GlassPages(services, doorkeeper, pages, overview).add_to(router)
    ReviewPages(services, doorkeeper, pages).add_to(router)
    WatchPages(services, doorkeeper, pages).add_to(router)
    InsightPages(services, doorkeeper, pages).add_to(router)
    RolloutPages(services, doorkeeper, pages, overview).add_to(router)
    Absences(services, doorkeeper, pages).add_to(router)
    AuditPages(services, doorkeeper, pages, limits).add_to(router)
    KeyPages(services, doorkeeper, pages).add_to(router)
    router.router.add_route("/static/{folder}/{file}", pages.assets.serve)  # without a visit: the same for all
    return Channel(name="console", router=router.router)
