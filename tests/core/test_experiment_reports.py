"""Reports of experiments as files: what people and templates say stays words."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from bot.charts.studio import Studio
from bot.requests import RequestRecord
from intents.chaos.exporting import export
from intents.chaos.observing import AlarmStory
from intents.chaos.reporting import Report

BAD = "<script>alert(1)</script>"
AT = datetime(2026, 3, 3, 10, tzinfo=UTC)


async def test_nothing_that_was_typed_becomes_a_part_of_the_page() -> None:
    story = AlarmStory(BAD, BAD, BAD, "", "Sum", 1.0, AT, AT, (), ())
    report = Report(BAD, BAD, BAD, "completed", ((BAD, BAD), ("Expected", BAD)), (story,))
    record = cast(RequestRecord, SimpleNamespace(id="qm-7k3m9qxa"))
    exported = await export(record, report, Studio())
    assert "<script" not in exported.page
    assert exported.page.count("&lt;script&gt;") == 7
    alarm: dict[str, Any] = exported.data["alarms"][0]
    assert alarm["means"] == {"before": None, "during": None, "after": None}
