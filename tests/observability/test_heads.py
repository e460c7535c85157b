"""Load balancers ask with HEAD: it is answered like GET, without the body."""

from __future__ import annotations

import pytest

from tests.support.stage import Stage


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_head_is_answered_like_get(stage: Stage, path: str) -> None:
    client = stage.client()
    got, head = await client.get(path), await client.head(path)
    assert (head.status_code, head.headers["content-type"]) == (200, got.headers["content-type"])
    assert head.content == b""


async def test_head_says_not_ready_when_get_does(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken() -> dict[str, str]:
        return {"database": "OperationalError"}

    monkeypatch.setattr(stage.application, "readiness", broken)
    assert (await stage.client().head("/readyz")).status_code == 503
