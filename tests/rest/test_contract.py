"""The OpenAPI document, held against the running service by schemathesis with all its checks."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.rest.stage import WIDE_KEY, Stage

STATUSES = {
    ("/account", "post"): {"200", "401", "403", "413", "415", "422", "429", "503"},
    ("/v1/messages", "post"): {"200", "401", "403", "413", "415", "422", "429", "503"},
    ("/v1/conversations/{id}/messages", "get"): {"200", "401", "403", "404", "409", "422", "429", "503"},
    ("/v1/requests", "get"): {"200", "401", "403", "422", "429", "503"},
    ("/v1/requests/{id}", "get"): {"200", "401", "403", "404", "422", "429", "503"},
    ("/v1/requests/{id}/cancel", "post"): {
        "200", "401", "403", "404", "409", "413", "415", "422", "429", "503"
    },
    ("/v1/audit", "get"): {"200", "401", "403", "422", "429", "503"},
}  # fmt: skip


async def document(stage: Stage) -> Any:
    async with stage.caller() as caller:
        return (await caller.get("/openapi.json")).json()


async def test_documents_every_status_as_a_problem(keyed: Stage) -> None:
    paths = (await document(keyed))["paths"]
    found = {(path, method): set(op["responses"]) for path, ops in paths.items() for method, op in ops.items()}
    assert found == STATUSES
    for operations in paths.values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status != "200":
                    assert list(response["content"]) == ["application/problem+json"]


async def test_documents_the_key_also_while_none_is_needed(stage: Stage, keyed: Stage) -> None:
    optional: list[dict[str, list[str]]] = [{"key": []}, {}]
    for known, security in ((stage, optional), (keyed, optional[:1])):
        found = await document(known)
        assert found["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
        for operations in found["paths"].values():
            for operation in operations.values():
                assert operation["security"] == security


async def schemathesis(stage: Stage, *options: str) -> tuple[int, str]:
    """Run schemathesis over a real socket; returns its exit status and what it said."""
    program = Path(sys.executable).with_name("schemathesis")
    async with stage.served() as url:
        process = await asyncio.create_subprocess_exec(
            str(program),
            "run",
            f"{url}/openapi.json",
            "--checks=all",
            "--seed=1",
            "--no-color",
            "--generation-database=none",
            *options,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=stage.file.parent,
        )
        said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode(errors="replace")


async def test_keeps_every_promise_of_its_document(keyed: Stage) -> None:
    for _ in range(3):
        await keyed.filed(WIDE_KEY)
    status, said = await schemathesis(
        keyed,
        "-H",
        f"Authorization: Bearer {WIDE_KEY}",
        "--max-examples=8",
        "--phases=examples,coverage,fuzzing,stateful",
    )
    assert status == 0, said
    assert "Tested: 7" in said


async def test_keeps_its_promises_to_the_newcomer_too(stage: Stage) -> None:
    status, said = await schemathesis(stage, "--max-examples=8", "--phases=examples,fuzzing")
    assert status == 0, said
    assert "Tested: 7" in said


@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/requests/qm-23456789/approve"])
async def test_there_is_no_route_that_approves(keyed: Stage, path: str) -> None:
    async with keyed.caller(WIDE_KEY) as caller:
        assert (await caller.post(path, json={"decision": "approve"})).status_code == 404
