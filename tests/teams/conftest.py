"""A bot with a tenant of Teams beside it; tests of which nothing remains share one a module."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from sandbox.teams.tenants import Sent, Tenant
from tests.support.stage import Stage, Theatre
from tests.support.teams.cards import presses_of, words_of
from tests.support.teams.talking import Member
from tests.support.theatre import ana, bo, stage, theatre

__all__ = ["ana", "bo", "scene", "shared_stage", "stage", "theatre"]
_numbers = itertools.count(1)


class Scene:
    """A stage, its tenant, and what one reads there."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.tenant: Tenant = stage.teams.tenant
        self.framework = stage.teams.framework

    def member(self, name: str = "Ana Lopez", email: str | None = None, **more: object) -> Member:
        """Return a new user of the tenant, with an address that no test had before."""
        address = f"ana-{next(_numbers)}@corp.example" if email is None else email
        told = self.tenant.member(address, name, **more)
        return Member(self.framework, self.tenant, self.stage.client(), told)

    async def settles(self) -> None:
        """Wait until all is handled and sent, and hold what was sent against the protocol."""
        await self.stage.teams.settles()
        assert self.tenant.faults == []

    def said(self, conversation: str) -> list[Sent]:
        """Return what the bot shows in a conversation."""
        return self.tenant.shown_in(conversation)

    def read(self, conversation: str) -> str:
        """Return what one reads there of the bot's, blanks made one."""
        return " ".join(" ".join(words_of(sent.activity) for sent in self.said(conversation)).split())

    def buttons(self, conversation: str) -> dict[str, dict[str, Any]]:
        """Return what can be pressed there, the newest of each title."""
        found: dict[str, dict[str, Any]] = {}
        for sent in self.said(conversation):
            found |= presses_of(sent.activity)
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_stage(theatre: Theatre, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """One bot for a module's tests, each with somebody new."""
    async with theatre.open_stage(tmp_path_factory.mktemp("teams"), teams=True) as stage:
        yield stage


@pytest.fixture
def scene(shared_stage: Stage) -> Scene:
    """The module's scene, with nothing of the tests before on its record."""
    tenant = shared_stage.teams.tenant
    tenant.faults.clear()
    tenant.answers.clear()
    tenant.login_status = 200
    return Scene(shared_stage)
