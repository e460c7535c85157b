"""Requests and the audit over REST."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from adapters.rest.fields import parse_moment
from tests.rest.stage import ANA_KEY, WIDE_KEY, Stage, problem

FIELDS = "id intent state requester slots plan digest approvals steps outcome created_at updated_at".split()


async def test_shows_a_request_with_everything_promised(stage: Stage) -> None:
    request = await stage.filed()
    async with stage.caller() as caller:
        for name in (request, request.removeprefix("qm-"), request.upper()):
            shown = (await caller.get(f"/v1/requests/{name}")).json()
            assert set(FIELDS) <= set(shown)
            assert (shown["id"], shown["state"]) == (request, "awaiting_approval")
            assert shown["created_at"] == "2026-03-01T08:00:00.000Z"


async def test_lists_newest_first_page_by_page(stage: Stage) -> None:
    filed = []
    for _ in range(5):
        filed.append(await stage.filed())
        stage.clock.move(minutes=1)
    seen: list[str] = []
    cursor: str | None = ""
    async with stage.caller() as caller:
        while cursor is not None:
            page = (await caller.get("/v1/requests", params={"limit": 2, "cursor": cursor})).json()
            seen += [r["id"] for r in page["requests"]]
            cursor = page["next_cursor"]
    assert seen == filed[::-1]


async def test_filters_requests(stage: Stage) -> None:
    first = await stage.filed()
    stage.clock.move(hours=1)
    second = await stage.filed(email="bo@corp.example")
    async with stage.caller() as caller:
        await caller.post(f"/v1/requests/{second}/cancel")

        async def found(**params: str) -> list[str]:
            return [r["id"] for r in (await caller.get("/v1/requests", params=params)).json()["requests"]]

        assert await found(state="cancelled") == [second]
        assert await found(state="awaiting_approval") == [first]
        assert await found(requester="BO@corp.example") == [second]
        assert await found(intent="AWSAccountVending") == [second, first]
        assert await found(intent="Other") == []
        assert await found(since="2026-03-01T08:30:00Z") == [second]
        assert await found(until="2026-03-01T10:30:00+02:00") == [first]
        answer = await caller.get("/v1/requests?state=cancelled&state=awaiting_approval")
        assert len(answer.json()["requests"]) == 2


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("/v1/requests", "state", "done"),
        ("/v1/requests", "limit", "0"),
        ("/v1/requests", "limit", "201"),
        ("/v1/requests", "limit", "ten"),
        ("/v1/requests", "since", "yesterday"),
        ("/v1/requests", "since", "2026-03-01"),
        ("/v1/requests", "since", "2026-02-30T00:00:00Z"),
        ("/v1/requests", "until", "2026-03-01T08:00:00"),
        ("/v1/requests", "until", "1772352000"),
        ("/v1/requests", "requester", "ana"),
        ("/v1/requests", "requester", "\x00@corp.example"),
        ("/v1/requests", "intent", "a b"),
        ("/v1/requests", "cursor", "bm9uc2Vuc2U"),
        ("/v1/requests", "cursor", "0000000000000000-\x00"),
        ("/v1/audit", "cursor", "-1"),
        ("/v1/audit", "cursor", "9" * 19),
        ("/v1/audit", "person", "' OR 1=1 --"),
        ("/v1/audit", "request", "qm-0"),
        ("/v1/audit", "request", "\x00"),
        ("/v1/audit", "limit", "-5"),
        ("/v1/audit", "since", "2026-03-01T25:00:00Z"),
    ],
)
async def test_names_the_filter_that_is_malformed(stage: Stage, path: str, field: str, value: str) -> None:
    async with stage.caller() as caller:
        found = problem(await caller.get(path, params={field: value}), 422)
    assert [e["field"] for e in found["errors"]] == [field]
    assert "should" not in found["detail"], "the words of a library"


@pytest.mark.parametrize("name", ["qm-23456789", "x", "qm-", "%00", "..%2f..", "é", "1" * 500])
async def test_knows_no_request_that_was_not_filed(stage: Stage, name: str) -> None:
    async with stage.caller() as caller:
        problem(await caller.get(f"/v1/requests/{name}"), 404)
        problem(await caller.post(f"/v1/requests/{name}/cancel"), 404)


async def test_cancels_for_the_requester_when_nobody_is_named(stage: Stage) -> None:
    request = await stage.filed()
    async with stage.caller() as caller:
        answer = await caller.post(f"/v1/requests/{request}/cancel")
        assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
        problem(await caller.post(f"/v1/requests/{request}/cancel", json={}), 409)
        entry = (await caller.get("/v1/audit", params={"request": request})).json()["entries"][0]
    assert (entry["kind"], entry["person"]) == ("request.cancelled", "ana@corp.example")
    assert entry["payload"]["surface"] == "rest"


async def test_cancels_for_whom_policies_allow_and_nobody_else(stage: Stage) -> None:
    request = await stage.filed()
    async with stage.caller() as caller:
        path = f"/v1/requests/{request}/cancel"
        refused = await caller.post(path, json={"user": {"email": "eve@corp.example"}, "reason": "no"})
        assert "eve@corp.example" in problem(refused, 403)["detail"]
        asked = await caller.post(path, json={"user": {"email": "Ana@corp.example"}, "reason": "not needed"})
        assert asked.status_code == 200
        entry = (await caller.get("/v1/audit", params={"person": "ana@corp.example"})).json()["entries"][0]
    assert entry["payload"]["reason"] == "not needed"


async def test_a_key_cancels_only_for_those_it_speaks_for(keyed: Stage) -> None:
    request = await keyed.filed(ANA_KEY)
    async with keyed.caller(ANA_KEY) as caller:
        body = {"user": {"email": "ana@evil.example"}}
        problem(await caller.post(f"/v1/requests/{request}/cancel", json=body), 403)
        assert (await caller.get(f"/v1/requests/{request}")).json()["state"] == "awaiting_approval"
    async with keyed.caller(WIDE_KEY) as caller:
        problem(await caller.post(f"/v1/requests/{request}/cancel"), 404)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"user": {}}, "user.email"),
        ({"user": "ana@corp.example"}, "user"),
        ({"user": None}, "user"),
        ({"reason": 7}, "reason"),
        ({"reason": "x" * 1001}, "reason"),
        ([], "body"),
        ("now", "body"),
    ],
)
async def test_names_what_is_wrong_with_a_cancellation(stage: Stage, body: object, field: str) -> None:
    request = await stage.filed()
    async with stage.caller() as caller:
        found = problem(await caller.post(f"/v1/requests/{request}/cancel", json=body), 422)
        assert found["errors"][0]["field"] == field
        assert (await caller.get(f"/v1/requests/{request}")).json()["state"] == "awaiting_approval"


async def test_pages_the_audit(stage: Stage) -> None:
    for _ in range(3):
        request = await stage.filed()
        async with stage.caller() as caller:
            await caller.post(f"/v1/requests/{request}/cancel")
    seen: list[int] = []
    cursor: str | None = ""
    async with stage.caller() as caller:
        while cursor is not None:
            page = (await caller.get("/v1/audit", params={"limit": 1, "cursor": cursor})).json()
            seen += [e["id"] for e in page["entries"]]
            cursor = page["next_cursor"]
    assert len(seen) == 3
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01T08:00:00Z", datetime(2026, 3, 1, 8, tzinfo=UTC)),
        ("2026-03-01t08:00:00.25z", datetime(2026, 3, 1, 8, 0, 0, 250_000, tzinfo=UTC)),
        ("2026-03-01T08:00:00-05:30", datetime(2026, 3, 1, 13, 30, tzinfo=UTC)),
        ("2026-03-01T08:00:00 02:00", datetime(2026, 3, 1, 6, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC) - timedelta(microseconds=1)),
        ("0001-01-01T00:00:00+10:00", datetime.min.replace(tzinfo=UTC)),
        ("9999-12-31T23:59:59-10:00", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_reads_every_rfc_3339_date_time(text: str, moment: datetime) -> None:
    assert parse_moment(text) == moment
