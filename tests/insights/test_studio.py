"""Charts are drawn in a process of their own, which is started anew when it has died and ends with the bot."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.charts.studio import Studio
from bot.errors import Unavailable
from bot.insights import Anomaly, Comparison
from tests.insights.test_chart import anomaly

SVG = "{http://www.w3.org/2000/svg}"


async def test_both_kinds_come_from_one_worker_that_ends_when_told_and_is_replaced_when_it_dies() -> None:
    studio = Studio()
    drawn = anomaly([120.0] * 30 + [2400.0] * 30)
    assert (await studio.draw(drawn)).startswith(b"\x89PNG")
    worker = studio._worker
    assert worker is not None
    picture = await studio.draw(drawn, "svg")
    assert studio._worker is worker
    assert ET.fromstring(picture).tag == f"{SVG}svg"
    with pytest.raises(Unavailable):
        await studio.draw(anomaly([]))
    worker.kill()
    await worker.wait()
    assert len(await studio.draw(drawn, "svg")) == len(picture)
    second = studio._worker
    await studio.close()
    assert second is not None
    assert second.returncode == 0


def test_an_svg_says_in_words_what_it_shows_and_can_be_read_in_the_dark() -> None:
    from bot.charts.svg import draw

    ahead = datetime(2026, 11, 23, 20, tzinfo=UTC)
    forecast = replace(anomaly([50.0] * 40), resource="orders <one>", limit=100.0, prediction=ahead)
    text = draw(forecast).decode()
    root = ET.fromstring(text)
    assert root.findtext(f"{SVG}title") == "Duration (p50) of orders <one>"
    assert "prefers-color-scheme:dark" in (root.findtext(f"{SVG}style") or "")
    words = [element.text for element in root.iter(f"{SVG}text")]
    assert {"Forecast", "Limit", "Anomaly"} <= set(words)
    assert "stroke-dasharray" in text
    assert len(text) < 60_000


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_figures_without_times_are_bars_and_what_was_expected_is_a_band(kind: str) -> None:
    from bot.charts import png, svg

    draw = png.draw if kind == "png" else svg.draw
    start = datetime(2026, 11, 23, 9, tzinfo=UTC)
    load = Anomaly("DBLoad", "routing", "None", "Performance Insights", (), start, None,
                   limit=4.0, comparisons=(Comparison("avg", 1.4, 11.6),))  # fmt: skip
    assert draw(load) != draw(replace(load, comparisons=(Comparison("avg", 1.4, 1.6),)))
    line = anomaly([120.0] * 30 + [2400.0] * 30)
    band = tuple((at, 90.0, 150.0) for at, _ in line.points)
    assert draw(replace(line, band=band)) != draw(line)
    assert draw(replace(line, band=band, end=start + timedelta(hours=3))) != draw(replace(line, band=band))
