"""The toolchain: what can't be pinned to a commit is not started."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.errors import CloudError
from bot.services import Services
from intents.releases.toolchain import Source, Toolchain


@pytest.mark.parametrize(
    ("source", "commit"),
    [
        (None, "7a1985db49c1"),
        (Source("Source", "ECR", "shop", "latest"), "7a1985db49c1"),
        (Source("Source", "CodeCommit", "shop", "main"), ""),
    ],
)
async def test_nothing_is_started_whose_newest_revision_would_run(source: Source | None, commit: str) -> None:
    called: list[str] = []

    async def call(service: str, operation: str, **_: Any) -> dict[str, str]:
        called.append(operation)
        return {"pipelineExecutionId": "run-0"}

    settings = SimpleNamespace(toolchain_role_arn="", toolchain_region="eu-west-1")
    toolchain = Toolchain(cast(Services, SimpleNamespace(cloud=SimpleNamespace(call=call), settings=settings)))
    with pytest.raises(CloudError, match="pinned to a commit"):
        await toolchain.start("pool-1-pipeline", "token", source, commit)
    assert not called
    assert await toolchain.start("p", "token", Source("Source", "S3", "shop", "key"), "version-1") == "run-0"
