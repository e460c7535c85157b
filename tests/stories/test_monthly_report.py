"""The monthly report: asked for in words, as CSV, and sent by itself on the first working day."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.database.tables import keepsakes
from bot.tags import ACCOUNT_TYPE, OWNER
from intents.reports.intent import MonthlyReport
from intents.reports.months import Month, due_at
from tests.stories.errands import asks_for_an_account, see_it_through
from tests.support.slack.talking import words_of
from tests.support.stage import Stage, Theatre, eventually
from tests.support.stage.channels import NAMES
from tests.support.theatre import on_every_database

PLAYGROUND = "555566667777"
GONE = "gone@corp.example"


def month_now(stage: Stage) -> Month:
    return Month.of(stage.application.clock.now().date())


async def until(stage: Stage, moment: datetime) -> None:
    """Let time pass up to a moment of business time."""
    await stage.advance(seconds=(moment - stage.application.clock.now()).total_seconds() + 1)


async def comes_to_the_next_month(stage: Stage) -> Month:
    """Go to the second of the next month, so that what follows is in a month that has just begun."""
    begin = month_now(stage).after
    await until(stage, datetime.combine(begin.first, datetime.min.time(), tzinfo=stage.application.clock.now().tzinfo))
    await stage.advance(hours=30)
    return begin


async def lives_through_a_month(stage: Stage) -> tuple[Month, str]:
    """Vend one account, fail to vend another, let somebody leave; return the month and the account's id."""
    month = await comes_to_the_next_month(stage)
    ana, bo = stage.speaker("Ana Lopez"), stage.approver()
    request = await asks_for_an_account(ana)
    await stage.advance(hours=2)  # this long it waits for an approval
    assert ana.request == request
    account = await see_it_through(stage, ana, bo)
    stage.aws("organizations").tag_resource(
        ResourceId=PLAYGROUND, Tags=[{"Key": OWNER, "Value": GONE}, {"Key": ACCOUNT_TYPE, "Value": "Sandbox"}]
    )
    await stage.switches_on("provisioning_failed", times=1)
    failing = await asks_for_an_account(ana, "team-y@corp.example")
    await bo.opens_the_mail(about=failing)
    await bo.approves()
    await ana.hears_later("is ordered")
    await stage.advance(minutes=25)
    await stage.reaches(failing, "failed")
    left = stage.speaker("Gone Person", email=GONE)
    await asks_for_an_account(left, "team-z@corp.example")
    return month, account


@pytest.mark.parametrize("channel", NAMES)
async def test_operators_ask_for_the_month_so_far_on_every_channel(stage: Stage, channel: str) -> None:
    month, account = await lives_through_a_month(stage)
    bo = stage.speaker("Bo Berg", channel=channel, email="bo@corp.example")
    await bo.says("monthly report for this month")
    bo.hears(
        f"Report for {month.title}",
        "Accounts opened",
        "1: team-x-sandbox",
        "Requests",
        "3 asked",
        "Request to ready",
        "median 2 h",
        "Time in approval",
        "Spent by Sandbox",
        "$",
        "What failed",
        "Neither in Identity Center nor in the directory",
        GONE,
        PLAYGROUND,
        "qm-",
    )
    await bo.says("report for last month")
    bo.hears(f"Report for {month.before.title}", "Accounts opened", "0")
    bo.does_not_hear("team-x-sandbox")
    assert account


async def test_the_csv_tells_the_same_and_more(stage: Stage) -> None:
    month, account = await lives_through_a_month(stage)
    answer = await stage.client().get(f"/v1/reports/{month.key}.csv")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="quartermaster-{month.key}.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    def find(section: str, item: str = "", **more: str) -> list[dict[str, str]]:
        wanted = {"section": section, **({"item": item} if item else {}), **more}
        return [row for row in rows if wanted.items() <= row.items()]

    assert [row["account"] for row in find("opened", "team-x-sandbox")] == [account]
    assert find("requests", "asked")[0]["value"] == "3"
    assert find("requests", "failed")[0]["value"] == "1"
    assert 7200 <= int(find("request to ready", "median")[0]["value"]) < 7200 + 3600
    assert find("spend", account=PLAYGROUND)[0]["item"] == "Sandbox"
    assert float(find("spend by type", "Sandbox")[0]["value"]) > 0
    assert find("failures")
    assert [row["account"] for row in find("left behind", "account", owner=GONE)] == [PLAYGROUND]
    assert len(find("left behind", "open request", owner=GONE)) == 1


async def test_others_are_told_for_whom_it_is(stage: Stage) -> None:
    ana = stage.speaker("Ana Lopez")
    await ana.says("monthly report")
    ana.hears("The monthly report is for members of the group operators")
    ana.does_not_hear("Accounts opened")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("2026-10.csv", 403),
        ("2026-10.csv?user=ana@corp.example", 403),
        ("2026-10.csv?user=lead@other.example", 403),
        ("2026-10.csv?user=boss@corp.example", 200),
        ("2026-13.csv?user=boss@corp.example", 422),
        ("2099-01.csv?user=boss@corp.example", 404),
        ("October.csv?user=boss@corp.example", 422),
    ],
)
async def test_with_a_key_the_csv_is_for_people_who_may_read_the_audit(
    theatre: Theatre, tmp_path: Path, path: str, status: int
) -> None:
    directory = tmp_path / "directory.yml"
    directory.write_text("people: [{email: boss@corp.example, groups: [operators]}]", encoding="utf-8")
    async with theatre.open_stage(
        tmp_path, api_keys="long-and-random:portal:corp.example", directory_file=directory
    ) as stage:
        client = stage.client()
        assert (await client.get(f"/v1/reports/{path}")).status_code == 401
        answer = await client.get(f"/v1/reports/{path}", headers={"authorization": "Bearer long-and-random"})
        assert answer.status_code == status, answer.text


async def test_a_month_that_is_none_is_asked_about(stage: Stage) -> None:
    bo = stage.speaker("Bo Berg", email="bo@corp.example")
    await bo.says("report for 2026-13")
    bo.hears("is no month", "last month")


@on_every_database
async def test_what_can_not_be_read_is_said_and_the_rest_is_told(stage: Stage) -> None:
    await stage.switches_on("access_denied", operations=["GetCostAndUsage", "ListUsers"])
    bo = stage.speaker("Bo Berg", email="bo@corp.example")
    await bo.says("monthly report")
    bo.hears("Accounts opened", "Spending could not be read", "Leavers could not be told")


async def job_runs(stage: Stage) -> None:
    """Wait until the report's job has been seen to at the present time."""
    now = stage.application.clock.now()
    query = select(keepsakes.c.value).where(keepsakes.c.name == "job:monthly-report")

    async def has_run() -> bool:
        async with stage.application.services.database.read() as connection:
            kept = (await connection.execute(query)).scalar_one_or_none()
        return kept is not None and datetime.fromisoformat(json.loads(kept)["ran"]) >= now

    await eventually(has_run, lambda: f"the report's job did not run at {now}")


async def test_it_comes_by_itself_once_on_the_first_working_day(theatre: Theatre, tmp_path: Path) -> None:
    async with theatre.open_stage(tmp_path, report_to="boss@corp.example,conversation:ops-room") as stage:
        services, boss = stage.application.services, stage.approver("boss@corp.example")
        await job_runs(stage)
        month = month_now(stage)
        await until(stage, due_at(month.after, None) - timedelta(minutes=90))
        await job_runs(stage)  # the month before may have come meanwhile: the sandbox's date is whatever it is
        said_before = [message.text for message in await services.conversations.after("ops-room")]
        before = len(said_before)
        assert not any(text.startswith(f"Report for {month.title}") for text in said_before)
        assert f"Report for {month.title}" not in [mail["subject"] for mail in await boss.mails()]
        await stage.advance(hours=2)
        await boss.receives_a_notice(about=f"Report for {month.title}")
        assert boss.mail["subject"] == f"Report for {month.title}"
        boss.reads_in_the_mail("Accounts opened", "Request to ready", "The whole report is attached as CSV.")
        said = (await services.conversations.after("ops-room"))[before:]
        assert [message.text.partition("\n")[0] for message in said] == [f"Report for {month.title}"]
        for _ in range(3):
            await stage.advance(hours=9)
            await job_runs(stage)
        assert [mail["subject"] for mail in await boss.mails()].count(f"Report for {month.title}") == 1
        assert len(await services.conversations.after("ops-room")) == before + 1


async def test_it_comes_to_a_channel_of_slack(theatre: Theatre, tmp_path: Path) -> None:
    workspace = theatre.slack.workspace()
    channel = workspace.channel("platform")
    where = f"conversation:slack:{workspace.team}:{channel}"
    async with theatre.open_stage(tmp_path, slack=workspace, report_to=where) as stage:
        await job_runs(stage)
        month = month_now(stage)
        await until(stage, due_at(month.after, None) + timedelta(hours=1))

        async def is_posted() -> bool:
            return bool(workspace.shown_in(channel))

        await eventually(is_posted, lambda: "no report was posted")
        await stage.slack.settles()
        [posted] = workspace.shown_in(channel)
        assert f"Report for {month.title}" in "\n".join(words_of(posted.blocks, posted.text))


async def test_a_report_that_is_not_whole_waits_a_day_and_then_goes_as_it_is(theatre: Theatre, tmp_path: Path) -> None:
    async with theatre.open_stage(tmp_path, report_to="boss@corp.example") as stage:
        boss = stage.approver("boss@corp.example")
        await job_runs(stage)
        month = month_now(stage)
        await stage.switches_on("access_denied", operations=["GetCostAndUsage"])
        await until(stage, due_at(month.after, None) + timedelta(hours=20))
        await eventually_tried(stage)
        assert await boss.mails() == []
        await stage.advance(hours=5)
        await boss.receives_a_notice()
        boss.reads_in_the_mail("Spending could not be read: Cost Explorer answered AccessDeniedException.")


async def test_while_aws_does_not_answer_the_report_is_told_in_part_and_its_file_refused(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator, month = stage.speaker("Bo Lee"), month_now(stage)
    report = stage.application.services.registry.get("MonthlyReport")
    assert isinstance(report, MonthlyReport)
    monkeypatch.setattr(report.gatherer, "patience", 0.2)
    await stage.switches_on("hang", operations=["GetResources", "GetCostAndUsage"])
    await operator.says("report for this month")
    operator.hears(f"Report for {month.title}", "AWS does not answer")
    answer = await stage.client().get(f"/v1/reports/{month.key}.csv")
    assert answer.status_code == 503
    assert "would not be whole" in answer.json()["detail"]
    await stage.switches_off("hang")
    monkeypatch.undo()
    answer = await stage.client().get(f"/v1/reports/{month.key}.csv")
    assert answer.status_code == 200


async def eventually_tried(stage: Stage) -> None:
    """Wait until Cost Explorer was asked."""

    async def was_asked() -> bool:
        return bool(await stage.calls("GetCostAndUsage"))

    await eventually(was_asked, lambda: "nobody asked Cost Explorer")
