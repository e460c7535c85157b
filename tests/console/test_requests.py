"""The list of requests and the page of one: who sees what, and the two decisions."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.console.stage import Stage, sample_plan

ROW = re.compile(r"qm-[a-z0-9]{8}")


async def test_lists_only_a_persons_own(stage: Stage) -> None:
    mine = await stage.ask("ana@corp.example")
    other = await stage.ask("bo@corp.example")
    async with stage.visitor() as ana:
        page = (await ana.get("/requests")).text
        everybodys = (await ana.get("/requests?view=all")).text
        by_address = (await ana.get("/requests?requester=bo%40corp.example")).text
    for text in (page, everybodys, by_address):
        assert mine.id in text
        assert other.id not in text
    assert "Everybody" not in page


async def test_lists_what_waits_for_the_approver(stage: Stage) -> None:
    record = await stage.ask("bo@corp.example")
    decided = await stage.ask("bo@corp.example")
    await stage.settle(decided, "succeeded")
    async with stage.visitor() as approver:
        await approver.become("approver@corp.example")
        page = (await approver.get("/requests?view=waiting")).text
        chat = (await approver.get("/")).text
    assert record.id in page
    assert decided.id not in page
    assert "Waits for you" in chat


async def test_lets_operators_see_everybodys(stage: Stage) -> None:
    records = [await stage.ask("ana@corp.example"), await stage.ask("bo@corp.example")]
    async with stage.visitor() as olga:
        await olga.become("olga@corp.example")
        page = (await olga.get("/requests?view=all")).text
        one_persons = (await olga.get("/requests?view=all&requester=BO@corp.example")).text
    assert all(r.id in page for r in records)
    assert records[0].id not in one_persons
    assert records[1].id in one_persons


async def test_filters_by_state_and_kind(stage: Stage) -> None:
    waiting, failed = await stage.ask("ana@corp.example"), await stage.ask("ana@corp.example")
    await stage.settle(failed, "failed")
    async with stage.visitor() as ana:
        by_state = (await ana.get("/requests?state=failed")).text
        by_kind = (await ana.get("/requests?intent=AWSAccountVending")).text
        by_other_kind = (await ana.get("/requests?intent=Nothing")).text
    assert failed.id in by_state
    assert waiting.id not in by_state
    assert waiting.id in by_kind
    assert "Nothing matches" in by_other_kind


async def test_pages_through_a_long_list_without_gaps_or_repeats(stage: Stage) -> None:
    records = [await stage.ask("ana@corp.example") for _ in range(60)]
    seen: list[str] = []
    async with stage.visitor() as ana:
        path = "/requests"
        for _ in range(5):
            page = (await ana.get(path)).text
            seen += [r for r in ROW.findall(page.split("<tbody>")[1].split("</tbody>")[0])][::2]
            older = re.search(r'href="([^"]+)">Older', page)
            if not older:
                break
            path = older[1].replace("&amp;", "&")
    assert seen == [r.id for r in reversed(records)]


@pytest.mark.parametrize(
    "query", ["cursor=abc", "cursor=%FF", "state=<b>", "view=all%00", "intent=%27--", "cursor=" + "x" * 3000]
)
async def test_survives_filters_that_nobody_offered(stage: Stage, query: str) -> None:
    await stage.ask("ana@corp.example")
    async with stage.visitor() as ana:
        answer = await ana.get(f"/requests?{query}")
    assert answer.status_code in (200, 422)
    assert "<b>" not in answer.text


async def test_finds_a_request_by_its_id_however_it_is_typed(stage: Stage) -> None:
    record = await stage.ask("ana@corp.example")
    async with stage.visitor() as ana:
        for typed in (record.id, record.id.upper(), f"  {record.id[3:]} "):
            answer = await ana.get("/requests", params={"id": typed})
            assert answer.headers["location"] == f"/requests/{record.id}"
        missed = await ana.get("/requests", params={"id": "<i>x</i>"})
    assert missed.status_code == 404
    assert "<i>x" not in missed.text


async def test_hides_a_request_from_those_who_may_not_see_it(stage: Stage) -> None:
    record = await stage.ask("bo@corp.example")
    async with stage.visitor() as ana:
        await ana.see("/")
        hidden = await ana.get(f"/requests/{record.id}")
        progress = await ana.get(f"/requests/{record.id}/progress")
        found = await ana.get("/requests", params={"id": record.id})
        decide = await ana.submit(f"/requests/{record.id}/decide", decision="approve", version="1")
        cancel = await ana.submit(f"/requests/{record.id}/cancel")
        unknown = await ana.get("/requests/qm-zzzzzzzz")
        nonsense = await ana.get("/requests/%3Cscript%3E")
    for answer in (hidden, progress, found, decide, cancel, unknown, nonsense):
        assert answer.status_code == 404
        assert "team-x" not in answer.text
        assert "<script>" not in answer.text
    assert (
        hidden.text.replace(record.id, "").split("<main")[1]
        == unknown.text.replace("qm-zzzzzzzz", "").split("<main")[1]
    )


async def test_shows_plan_checks_approvals_and_timeline(stage: Stage) -> None:
    record = await stage.ask("ana@corp.example")
    async with stage.visitor() as ana:
        page = (await ana.get(f"/requests/{record.id}")).text
    for words in (
        "Demos (ou-abcd-11111111)",
        "would be the sixth",
        "approver@corp.example",
        "asked, not decided yet",
        "Waiting for approval",
        "Asked",
        record.digest,
    ):
        assert words in page
    assert "Your decision" not in page  # four eyes
    assert "Cancel this request" in page
    assert 'hx-trigger="every 2s"' in page


async def test_shows_the_outcome_and_stops_looking(stage: Stage) -> None:
    record = await stage.ask("ana@corp.example")
    await stage.settle(
        record,
        "succeeded",
        text="The account is ready.",
        next="Sign in.",
        account_id="123456789012",
        sign_in_url="https://corp.awsapps.example/start",
        trap="javascript:alert(1)",
    )
    async with stage.visitor() as ana:
        page = (await ana.get(f"/requests/{record.id}")).text
        part = await ana.get(f"/requests/{record.id}/progress", headers={"hx-request": "true"})
    assert "123456789012" in page
    assert "Account ID" in page
    assert 'href="https://corp.awsapps.example/start"' in page
    assert 'href="javascript' not in page
    assert "every 2s" not in page
    assert part.headers["hx-reswap"] == "outerHTML"
    assert "Cancel this request" not in page


async def test_approves_as_the_person_signed_in(stage: Stage) -> None:
    record = await stage.ask("ana@corp.example")
    async with stage.visitor() as approver:
        await approver.become("approver@corp.example")
        page = await approver.see(f"/requests/{record.id}")
        assert "Your decision" in page.text
        answer = await approver.submit(f"/requests/{record.id}/decide", decision="approve", version="1")
        after = (await approver.get(answer.headers["location"])).text
    assert answer.status_code == 303
    assert "Approved" in after
    assert "Your decision" not in after
    assert (await stage.services.requests.find(record.id)).state == "approved"


async def test_rejects_only_with_a_reason_and_keeps_what_was_typed(stage: Stage) -> None:
    record = await stage.ask("ana@corp.example")
    async with stage.visitor() as approver:
        await approver.become("approver@corp.example")
        without = await approver.submit(f"/requests/{record.id}/decide", decision="reject", version="1", reason="  ")
        too_long = await approver.submit(
            f"/requests/{record.id}/decide", decision="reject", version="1", reason="no " * 400
        )
        assert (await stage.services.requests.find(record.id)).state == "awaiting_approval"
        done = await approver.submit(
            f"/requests/{record.id}/decide", decision="reject", version="1", reason="Use <b>Demos</b>"
        )
        page = (await approver.get(done.headers["location"])).text
    assert without.status_code == too_long.status_code == 422
    assert "no no no" in too_long.text
    assert "<blockquote>Use &lt;b&gt;Demos&lt;/b&gt;</blockquote>" in page
    assert (await stage.services.requests.find(record.id)).state == "rejected"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"decision": "approve"}, 422),
        ({"decision": "approve", "version": "x"}, 422),
        ({"decision": "approve", "version": "9" * 30}, 422),
        ({"decision": "maybe", "version": "1"}, 422),
        ({"decision": "approve", "version": "7"}, 410),
    ],
)
async def test_decides_nothing_by_a_malformed_or_outdated_form(
    stage: Stage, fields: dict[str, str], status: int
) -> None:
    record = await stage.ask("ana@corp.example")
    async with stage.visitor() as approver:
        await approver.become("approver@corp.example")
        answer = await approver.submit(f"/requests/{record.id}/decide", **fields)
    assert answer.status_code == status
    assert (await stage.services.requests.find(record.id)).state == "awaiting_approval"


async def test_takes_one_of_many_simultaneous_decisions(stage: Stage) -> None:
    record = await stage.ask("ana@corp.example")
    async with stage.visitor() as approver:
        await approver.become("approver@corp.example")
        path = f"/requests/{record.id}/decide"
        answers = await asyncio.gather(*(approver.submit(path, decision="approve", version="1") for _ in range(10)))
    assert sorted(a.status_code for a in answers) == [303] + [409] * 9


async def test_lets_nobody_approve_their_own(stage: Stage) -> None:
    record = await stage.ask("approver@corp.example")
    async with stage.visitor() as approver:
        await approver.become("approver@corp.example")
        page = await approver.see(f"/requests/{record.id}")
        answer = await approver.submit(f"/requests/{record.id}/decide", decision="approve", version="1")
    assert "Your decision" not in page.text
    assert answer.status_code == 403
    assert "asked for themselves" in answer.text
    assert (await stage.services.requests.find(record.id)).state == "awaiting_approval"


async def test_cancels_while_it_can_be_and_says_so_when_it_cannot(stage: Stage) -> None:
    record, running = await stage.ask("ana@corp.example"), await stage.ask("ana@corp.example")
    await stage.settle(running, "running")
    async with stage.visitor() as ana:
        await ana.see("/")
        done = await ana.submit(f"/requests/{record.id}/cancel", reason="not needed")
        late = await ana.submit(f"/requests/{running.id}/cancel")
        page = (await ana.get(f"/requests/{running.id}")).text
    assert done.status_code == 303
    assert (await stage.services.requests.find(record.id)).state == "cancelled"
    assert late.status_code == 409
    assert "being carried out" in late.text
    assert "Cancel this request" not in page


async def test_shows_hostile_plans_as_mere_text(stage: Stage) -> None:
    plan = sample_plan(summary="<svg onload=alert(1)>", details=(("<u>n</u>", "<script>1</script>"),))
    record = await stage.ask("ana@corp.example", plan)
    async with stage.visitor() as ana:
        pages = [(await ana.get(p)).text for p in ("/", "/requests", f"/requests/{record.id}")]
    for page in pages:
        assert "<svg onload" not in page
        assert "<u>n" not in page
        assert "<script>1" not in page
