"""Presses that no page of ours sends: they reach the inbox clean, or not at all."""

from __future__ import annotations

import pytest

from tests.console.stage import Stage


async def test_takes_control_characters_out_of_a_press(stage: Stage) -> None:
    async with stage.visitor() as ana:
        await ana.see("/")
        await ana.submit("/chat", verb="con\0firm\x1b", value="d\0\x07igest\u2028two")
    assert [(a.verb, a.value) for a in stage.heard] == [("confirm", "digest two")]


@pytest.mark.parametrize(
    ("verb", "value"),
    [("\0", "x"), ("v" * 65, "x"), ("confirm", "x" * 4097), ("confirm", "\u0958" * 4096)],
    ids=["nothing left", "long verb", "long value", "grows when normalised"],
)
async def test_refuses_a_press_that_is_no_button_of_ours(stage: Stage, verb: str, value: str) -> None:
    async with stage.visitor() as ana:
        await ana.see("/")
        answer = await ana.submit("/chat", verb=verb, value=value)
    assert answer.status_code == 422
    assert stage.heard == []
