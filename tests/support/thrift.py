"""What each application of a run works out anew, and always alike, is worked out once a process.

A run builds some thousand applications of the same code. What FastAPI reads from the signatures of their routes, and
the SQL that SQLAlchemy makes of their statements, take a third of the time of a short story.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import fastapi.dependencies.utils
import fastapi.routing
import pytest
from fastapi.dependencies.models import Dependant
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import LRUCache

from bot.database import engine as database_engine

_get_dependant = vars(fastapi.dependencies.utils)["get_dependant"]
_create_model_field = vars(fastapi.routing)["create_model_field"]
_create_engine = vars(database_engine)["create_async_engine"]
_dependants: dict[Any, Dependant] = {}
_model_fields: dict[Any, Any] = {}

STATEMENTS = 5_000
"""Statements that are kept compiled; the bot has some hundreds, each in a few shapes."""


def _is_lasting(call: Any) -> bool:
    """Whether a function is the same in each application: one of a module's or a class's own."""
    return inspect.isfunction(call) and "<locals>" not in call.__qualname__


def _get_dependant_once(*, path: str, call: Callable[..., Any], **options: Any) -> Dependant:
    function = getattr(call, "__func__", call)
    if not _is_lasting(function):
        made: Dependant = _get_dependant(path=path, call=call, **options)
        return made
    key = (path, function, inspect.ismethod(call), repr(sorted(options.items())))
    if key not in _dependants:
        _dependants[key] = replace(_get_dependant(path=path, call=call, **options), call=None)
    known = _dependants[key]
    own: dict[str, Any] = {"call": call}  # and lists of its own: what a route adds to them is the route's
    for field in fields(known):
        if isinstance(found := getattr(known, field.name), list):
            own[field.name] = [*found]
    return replace(known, **own)


def _create_model_field_once(**options: Any) -> Any:
    try:
        key = tuple(sorted(options.items()))
        if key not in _model_fields:
            _model_fields[key] = _create_model_field(**options)
        return _model_fields[key]
    except TypeError:  # what can't be compared or hashed is no key
        return _create_model_field(**options)


class _Statements(LRUCache[Any, Any]):
    """Compiled statements by the kind of their dialect: each engine has a dialect of its own, alike to the others'."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((type(key[0]), *key[1:]), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__((type(key[0]), *key[1:]), compiled)


_statements = _Statements(STATEMENTS)


def _create_engine_thriftily(*arguments: Any, **options: Any) -> AsyncEngine:
    made: AsyncEngine = _create_engine(*arguments, **options)
    made.sync_engine._compiled_cache = _statements
    return made


def pytest_configure(config: pytest.Config) -> None:
    """Have all applications of this process share."""
    vars(fastapi.dependencies.utils)["get_dependant"] = _get_dependant_once
    vars(fastapi.routing)["get_dependant"] = _get_dependant_once
    vars(fastapi.routing)["create_model_field"] = _create_model_field_once
    vars(database_engine)["create_async_engine"] = _create_engine_thriftily
