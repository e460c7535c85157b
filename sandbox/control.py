"""The sandbox's own routes: its clock, its faults, the calls it has had, and back to the seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from sandbox.calls import CallLog
from sandbox.clock import ClockError, moment
from sandbox.delivery.controlling import make_deployables, make_pipelines, push_commit, tell_pipelines
from sandbox.delivery.jobs import invocations
from sandbox.errors import AwsError, ControlError
from sandbox.faults import Faults
from sandbox.insight_stories import PLAYED, play
from sandbox.lex_bots import register_bot
from sandbox.passed_on import allowed_operations
from sandbox.protocol import Environ, WireResponse
from sandbox.provisioning import settle
from sandbox.registry import OPERATIONS
from sandbox.world import World

_ROUTES = {
    "/_sandbox": ("GET",),
    "/_sandbox/clock": ("GET", "POST"),
    "/_sandbox/faults": ("GET", "POST"),
    "/_sandbox/reset": ("POST",),
    "/_sandbox/calls": ("GET",),
    "/_sandbox/invocations": ("GET",),
    "/_sandbox/lex": ("GET", "POST"),
    "/_sandbox/stories": ("GET", "POST"),
    "/_sandbox/pipelines": ("GET", "POST"),
    "/_sandbox/deployables": ("POST",),
    "/_sandbox/commits": ("POST",),
}


class Control:
    """Answers the control routes in JSON; refusals are problem details (RFC 9457)."""

    def __init__(self, world: World, faults: Faults, calls: CallLog, reset_passed_on: Callable[[], None]) -> None:
        self._world = world
        self._faults = faults
        self._calls = calls
        self._reset_passed_on = reset_passed_on

    def answer(self, environ: Environ, body: bytes) -> WireResponse:
        """Answer one control request."""
        try:
            return _respond(200, self._dispatch(environ, body))
        except ControlError as error:
            problem = {"type": "about:blank", "status": error.status, "detail": error.detail}
            return _respond(error.status, problem, "application/problem+json")

    def _dispatch(self, environ: Environ, body: bytes) -> Any:
        path = str(environ["PATH_INFO"]).rstrip("/")
        method = str(environ["REQUEST_METHOD"])
        if path not in _ROUTES:
            raise ControlError(404, f"There is no {path}. There are: {', '.join(_ROUTES)}.")
        if method not in _ROUTES[path]:
            raise ControlError(405, f"{path} takes {' and '.join(_ROUTES[path])}.")
        if path == "/_sandbox/clock":
            return self._set_clock(_read_object(body)) if method == "POST" else self._tell_time()
        if path == "/_sandbox/faults":
            return self._switch_fault(_read_object(body)) if method == "POST" else self._faults.describe()
        if path == "/_sandbox/reset":
            return self._reset()
        if path == "/_sandbox/calls":
            query = parse_qs(str(environ.get("QUERY_STRING", "")))
            service, operation, since = (query.get(name, [None])[0] for name in ("service", "operation", "since"))
            return self._calls.entries(service, operation, _read_since(since))
        if path == "/_sandbox/invocations":
            with self._world.lock:
                settle(self._world)
                return invocations(self._world)
        if path == "/_sandbox/lex":
            return self._register_bot(_read_object(body)) if method == "POST" else self._list_bots()
        if path == "/_sandbox/stories":
            return self._play(_read_object(body)) if method == "POST" else self._tell_stories()
        if path == "/_sandbox/pipelines":
            return self._deliver(environ, body if method == "POST" else None)
        if path in ("/_sandbox/commits", "/_sandbox/deployables"):
            make = push_commit if path == "/_sandbox/commits" else make_deployables
            with self._world.lock:
                made = make(self._world, _read_object(body))
                self._world.save()
                return made
        return {"routes": {route: list(methods) for route, methods in _ROUTES.items()}}

    def _tell_time(self) -> dict[str, Any]:
        clock = self._world.clock
        return {"now": moment(clock.now()).isoformat(), "speed": clock.speed}

    def _set_clock(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        unknown = set(wish) - {"advance", "speed"}
        if unknown or not wish:
            raise ControlError(422, 'The clock takes {"advance": seconds} or {"speed": x}.')
        try:
            if "speed" in wish:
                self._world.clock.set_speed(wish["speed"])
            if "advance" in wish:
                self._world.clock.advance(wish["advance"])
        except ClockError as error:
            raise ControlError(422, str(error)) from error
        self._settle()
        return self._tell_time()

    def _switch_fault(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        options = {name: value for name, value in wish.items() if name not in ("name", "on")}
        _check_operations(options)
        # What came due before the switch happens under the faults that were on until now.
        self._settle()
        return self._faults.switch(wish.get("name"), wish.get("on", True), options)

    def _reset(self) -> dict[str, Any]:
        self._faults.clear()
        self._world.reset()
        self._reset_passed_on()
        self._calls.clear()
        return self._tell_time()

    def _register_bot(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        try:
            bot = register_bot(self._world, wish)
        except AwsError as error:
            raise ControlError(422, error.message) from error
        return {"botId": bot.bot_id, "botAliasId": bot.bot_alias_id, "localeId": bot.locale_id}

    def _play(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        with self._world.lock:
            story = play(self._world, wish)
            self._world.save()
            self._world.stir()
            return dict(vars(story))

    def _tell_stories(self) -> dict[str, Any]:
        described = [{"name": name, "description": story.description} for name, story in PLAYED.items()]
        with self._world.lock:
            return {"stories": described, "played": [dict(vars(s)) for s in self._world.zone.stories.values()]}

    def _deliver(self, environ: Environ, body: bytes | None) -> dict[str, Any]:
        with self._world.lock:
            settle(self._world)
            if body is None:
                prefix = parse_qs(str(environ.get("QUERY_STRING", ""))).get("prefix", [""])[0]
                return tell_pipelines(self._world, prefix)
            made = make_pipelines(self._world, _read_object(body))
            self._world.save()
            return made

    def _list_bots(self) -> list[dict[str, Any]]:
        with self._world.lock:
            return [
                {"botId": bot.bot_id, "botAliasId": bot.bot_alias_id, "localeId": bot.locale_id}
                for bot in self._world.zone.bots.values()
            ]

    def _settle(self) -> None:
        with self._world.lock:
            settle(self._world)
            self._world.save()
            self._world.stir()


def _check_operations(options: Mapping[str, Any]) -> None:
    """A misspelt operation would make a fault that never strikes."""
    named = options.get("operations", options.get("operation", []))
    known = {*OPERATIONS, *allowed_operations()}
    for operation in named if isinstance(named, list) else [named]:
        if isinstance(operation, str) and not any(operation in (name, f"{service}:{name}") for service, name in known):
            raise ControlError(422, f"No operation {operation!r} is served, so no fault can strike it.")


def _read_since(text: str | None) -> int | datetime | None:
    if text is None or text.isdecimal():
        return None if text is None else int(text)
    try:
        # A plus sign arrives as a space.
        since = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise ControlError(422, "since must be a call's number, or a time in ISO 8601.") from error
    return since if since.tzinfo else since.replace(tzinfo=UTC)


def _read_object(body: bytes) -> dict[str, Any]:
    try:
        wish = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ControlError(422, "The body must be JSON.") from error
    if not isinstance(wish, dict):
        raise ControlError(422, "The body must be a JSON object.")
    return wish


def _respond(status: int, document: Any, content_type: str = "application/json") -> WireResponse:
    return WireResponse(status, {"Content-Type": content_type}, json.dumps(document).encode())
