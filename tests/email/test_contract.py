"""The OpenAPI document of the adapter's routes, held against them by Schemathesis with all its checks."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.email.conftest import Desk

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def schemathesis(desk: Desk, folder: Path, token: str) -> tuple[int, str]:
    """Run it over a real socket, with one token in all paths; return its exit status and what it said."""
    (folder / "schemathesis.toml").write_text(f'[parameters]\n"path.token" = "{token}"\n')
    process = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"{desk.services.settings.public_url}/openapi.json",
        "--checks=all",
        "--max-examples=8",
        "--phases=coverage,fuzzing",
        "--seed=1",
        "--no-color",
        "--generation-database=none",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=folder,
    )
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode(errors="replace")


async def test_keeps_every_promise_of_its_document(served: Desk, tmp_path: Path) -> None:
    token = (await served.link_to(await served.place())).rpartition("/")[2]
    status, said = await schemathesis(served, tmp_path, token)
    assert status == 0, said
    assert "Tested: 4" in said
