"""Engines for the tests of understanding."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from adapters.lex.engine import Engine
from tests.understanding.conversation import Person, ou_hints
from tests.understanding.vending_bot import vending_definition

_numbers = itertools.count()


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine(vending_definition())


@pytest.fixture
def someone(engine: Engine) -> Callable[[], Person]:
    """Makes people with fresh sessions who know the organization's OUs."""
    return lambda: Person(engine, f"session-{next(_numbers)}", hints=ou_hints())


@pytest.fixture
def ana(someone: Callable[[], Person]) -> Person:
    return someone()
