"""A report as a file: data for programs, and a page for people that stands alone, with its charts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from bot.charts.studio import Studio
from bot.clock import iso
from bot.errors import Unavailable
from bot.reporting import Exported
from bot.requests import RequestRecord
from intents.chaos.reporting import COLUMNS, Report

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:760px;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;width:100%;margin:1rem 0}th,td{text-align:left;padding:.3rem .6rem .3rem 0;"
    "border-bottom:1px solid #ddd;vertical-align:top}svg{max-width:100%;height:auto}"
)


async def export(record: RequestRecord, report: Report, charts: Studio) -> Exported:
    """Return both. A chart that can't be drawn now is left out: its values stand in the data."""
    drawn = []
    for story in report.stories or ():
        if story.points:
            try:
                drawn.append((await charts.draw(story.chart, "svg")).decode())
            except Unavailable:
                continue
    return Exported(f"experiment-{record.id}", _page(report, drawn), data_of(record, report))


def data_of(record: RequestRecord, report: Report) -> dict[str, Any]:
    """Return the report as JSON types; times are RFC 3339 in UTC."""
    return {
        "id": record.id,
        "title": report.title,
        "text": report.text,
        "status": report.status,
        "verdict": report.verdict,
        "facts": [{"name": name, "value": value} for name, value in report.rows],
        "alarms": [
            {
                "name": story.name,
                "metric": story.metric,
                "resource": story.resource,
                "threshold": story.threshold,
                "begin": iso(story.begin),
                "end": iso(story.end),
                "changes": [{"at": iso(at), "state": state} for at, state in story.changes],
                "means": dict(zip(COLUMNS[1:], story.means, strict=True)),
                "points": [{"at": iso(at), "value": value} for at, value in story.points],
            }
            for story in report.stories or ()
        ],
    }


def _page(report: Report, charts: Sequence[str]) -> str:
    """Return the page; what people have typed is escaped, and the charts are our own drawings."""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in report.rows)
    head = "".join(f"<th>{escape(column)}</th>" for column in COLUMNS)
    metrics = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in report.metrics)
    table = f"<table><tr>{head}</tr>{metrics}</table>" if metrics else ""
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(report.title)}</title>'
        f"<style>{_STYLE}</style><h1>{escape(report.title)}</h1><p>{escape(report.text)}</p>"
        f"{''.join(charts)}{table}<table>{rows}</table></html>"
    )
