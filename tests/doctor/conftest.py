"""A patient whose AWS is the sandboxed one, and what runs a single check on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.cloud import Cloud
from bot.database.migrating import migrate
from bot.doctor import Check, Finding, Patient
from bot.doctor.examining import examine
from bot.main import build_cloud
from bot.settings import Settings, load_settings
from sandbox.server import Sandbox

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    """The sandboxed AWS of all tests of a file."""
    sandbox = Sandbox(speed=0).start()
    yield sandbox
    sandbox.stop()


@pytest.fixture(scope="module")
def shared_cloud(running: Sandbox) -> Cloud:
    """One Cloud for all tests of a file: making boto3's clients takes long."""
    return build_cloud(Settings(aws_endpoint_url=running.url))


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    file = tmp_path_factory.mktemp("migrated") / "quartermaster.sqlite"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture
async def control(running: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    """The sandbox's switchboard, reset."""
    async with httpx.AsyncClient(base_url=running.url) as client:
        (await client.post("/_sandbox/reset")).raise_for_status()
        yield client


SettingsMade = Callable[..., Settings]


@pytest.fixture
def make_settings(running: Sandbox, tmp_path: Path, migrated: Path) -> SettingsMade:
    """Return what makes the settings of a whole installation, but for what is changed."""

    def make(**changes: Any) -> Settings:
        (tmp_path / "quartermaster.sqlite").write_bytes(migrated.read_bytes())
        whole = {
            "aws_endpoint_url": running.url,
            "var_dir": tmp_path,
            "house_file": ROOT / "house.yml",
            "directory_file": ROOT / "directory.yml",
            "policy_dir": ROOT / "policies",
            "approvers": "bo@corp.example",
        }
        return load_settings(**(whole | changes))

    return make


Look = Callable[..., Awaitable[Finding]]


async def find(checks: Any, name: str, *, limit: float = 30) -> Finding:
    """Run the one check of that name."""
    chosen: list[Check] = [check for check in checks if check.name == name]
    assert chosen, f"no check is called {name}"
    return (await examine(chosen, limit=limit))[0].finding


class Altered:
    """A Cloud with other answers for a few operations."""

    def __init__(self, cloud: Cloud, answers: Mapping[str, Any]) -> None:
        self._cloud, self._answers = cloud, answers

    async def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        if operation in self._answers:
            found = self._answers[operation]
            if isinstance(found, Exception):
                raise found
            return dict(found)
        return await self._cloud.call(service, operation, **parameters)

    async def pages(self, service: str, operation: str, result: str, /, **parameters: Any) -> AsyncIterator[Any]:
        if operation in self._answers:
            found = self._answers[operation]
            if isinstance(found, Exception):
                raise found
            for entry in found[result]:
                yield entry
            return
        async for entry in self._cloud.pages(service, operation, result, **parameters):
            yield entry


@pytest.fixture
def patient(make_settings: SettingsMade, shared_cloud: Cloud, control: httpx.AsyncClient) -> Patient:
    """A whole installation."""
    return Patient(make_settings(), shared_cloud)
