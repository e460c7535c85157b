"""What waits for a person's decision, whether they were mailed or policy simply lets them decide."""

from __future__ import annotations

import html
import re

import pytest

from adapters.console.request_list import PAGE
from bot.policy import Decision
from bot.requests import RequestRecord
from tests.console.stage import Stage, Visitor, sample_plan

OLDER = re.compile(r'href="([^"]+)">Older<')
LINK = re.compile(r'href="/requests/(qm-[a-z0-9]{8})"')

DIRECTORY = """
people:
  - {email: gail@corp.example, groups: [approvers]}
  - {email: olga@corp.example, groups: [operators]}
shared_mailboxes: [cloud-team@corp.example]
approvals:
  - {ask: [cloud-team@corp.example]}
"""
"""Nobody is mailed in person; members of the group `approvers` decide."""


@pytest.fixture
def shared(stage: Stage) -> Stage:
    """A stage where approvals go to a shared mailbox."""
    stage.directory_file.write_text(DIRECTORY)
    return stage


async def pages_of(visitor: Visitor) -> list[list[str]]:
    """Return the ids on each page of "Waiting for me", following "Older"."""
    pages: list[list[str]] = []
    path = "/requests?view=waiting"
    while path:
        assert len(pages) < 20, "the pages do not end"
        text = (await visitor.get(path)).text
        pages.append(LINK.findall(text))
        older = OLDER.search(text)
        path = html.unescape(older[1]) if older else ""
    return pages


def ids_of(records: list[RequestRecord]) -> list[str]:
    return [record.id for record in records]


async def test_lists_what_a_shared_mailbox_was_told_of(shared: Stage) -> None:
    record, decided = await shared.ask("ana@corp.example"), await shared.ask("ana@corp.example")
    own = await shared.ask("gail@corp.example")
    await shared.settle(decided, "succeeded")
    async with shared.visitor() as gail:
        await gail.become("gail@corp.example")
        assert await pages_of(gail) == [[record.id]]
        beside = (await gail.get("/overview")).text
    waiting, _, hers = beside.partition("Your requests")
    assert "Waits for you" in waiting
    assert LINK.findall(waiting) == [record.id]
    assert LINK.findall(hers) == [own.id]


@pytest.mark.parametrize("email", ["ana@corp.example", "olga@corp.example"])
async def test_lists_nothing_for_those_who_may_not_decide(shared: Stage, email: str) -> None:
    await shared.ask("ana@corp.example")
    async with shared.visitor() as visitor:
        await visitor.become(email)
        assert await pages_of(visitor) == [[]]
        assert "Waits for you" not in (await visitor.get("/overview")).text


async def test_filters_what_waits(shared: Stage) -> None:
    by_ana, by_bo = await shared.ask("ana@corp.example"), await shared.ask("bo@corp.example")
    async with shared.visitor() as gail:
        await gail.become("gail@corp.example")
        found = {
            query: LINK.findall((await gail.get(f"/requests?view=waiting&{query}")).text)
            for query in ("requester=bo@corp.example", "state=awaiting_approval", "state=failed", "intent=Nothing")
        }
        malformed = await gail.get("/requests?view=waiting&cursor=x")
    assert found == {
        "requester=bo@corp.example": [by_bo.id],
        "state=awaiting_approval": [by_bo.id, by_ana.id],
        "state=failed": [],
        "intent=Nothing": [],
    }
    assert malformed.status_code == 422
    assert LINK.findall(malformed.text) == [by_bo.id, by_ana.id]


async def test_pages_show_each_once_newest_first(shared: Stage) -> None:
    records = [await shared.ask("ana@corp.example") for _ in range(PAGE * 2 + 1)]
    async with shared.visitor() as gail:
        await gail.become("gail@corp.example")
        pages = await pages_of(gail)
    assert [len(page) for page in pages] == [PAGE, PAGE, 1]
    assert [i for page in pages for i in page] == ids_of(records)[::-1]


async def test_looks_at_a_bounded_number_and_still_leaves_nothing_out(
    shared: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.waiting.LOOKED_AT", 4)
    first = await shared.ask("ana@corp.example")
    for _ in range(9):
        await shared.ask("gail@corp.example")  # hers: four eyes
    async with shared.visitor() as gail:
        await gail.become("gail@corp.example")
        assert await pages_of(gail) == [[], [], [first.id]]


async def test_what_was_mailed_is_on_the_first_page_whatever_else_waits(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.waiting.LOOKED_AT", 2)
    rule = "approvals:\n  - {intent: AWSAccountVending, ask: [approver@corp.example]}"
    stage.directory_file.write_text(DIRECTORY.replace("approvals:", rule))
    mailed = await stage.ask("bo@corp.example")
    for _ in range(5):
        await stage.ask("bo@corp.example", sample_plan(intent="Another"))
    async with stage.visitor() as approver:
        await approver.become("approver@corp.example")
        pages = await pages_of(approver)
        assert mailed.id in (await approver.get("/overview")).text
    assert pages[0] == [mailed.id]
    assert pages[-1] == [mailed.id]


async def test_leaves_out_what_was_mailed_to_an_approver_who_is_none_any_more(stage: Stage) -> None:
    record = await stage.ask("bo@corp.example")
    async with stage.visitor() as approver:
        await approver.become("approver@corp.example")
        assert await pages_of(approver) == [[record.id]]
        stage.directory_file.write_text(DIRECTORY)
        assert await pages_of(approver) == [[]]
        assert "Waits for you" not in (await approver.get("/overview")).text


async def test_asks_the_policies_no_more_than_a_page_needs(shared: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(20):
        await shared.ask("ana@corp.example")
    asked: list[str] = []
    may_approve = shared.services.policy.may_approve

    def count(*arguments: object, **named: object) -> Decision:
        asked.append("")
        return may_approve(*arguments, **named)  # type: ignore[arg-type]

    async with shared.visitor() as gail:
        await gail.become("gail@corp.example")
        monkeypatch.setattr(shared.services.policy, "may_approve", count)
        await gail.get("/overview")
    assert 0 < len(asked) <= 7
