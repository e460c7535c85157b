"""Whoever asks is shown by the address too: a name is only what somebody said."""

from __future__ import annotations

from tests.console.stage import Stage


async def test_a_false_name_does_not_hide_the_address_from_the_approver(stage: Stage) -> None:
    await stage.services.people.of_email("bo@corp.example", name='Olga <olga@corp.example> "Boss"')
    record = await stage.ask("bo@corp.example")
    async with stage.visitor() as approver:
        await approver.become("approver@corp.example")
        pages = [(await approver.get(path)).text for path in ("/", f"/requests/{record.id}")]
    for page in pages:
        assert "Olga olga corp.example Boss &lt;bo@corp.example&gt;" in page
        assert "<olga@corp.example>" not in page
        assert "&lt;olga@corp.example&gt;" not in page


async def test_who_has_no_name_is_shown_by_the_address_alone(stage: Stage) -> None:
    record = await stage.ask("cy@corp.example")
    async with stage.visitor() as approver:
        await approver.become("approver@corp.example")
        page = (await approver.get(f"/requests/{record.id}")).text
    assert "asked by cy@corp.example ·" in page
