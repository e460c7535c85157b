"""Approval tokens and keys never reach logs, metrics or traces; routes are named by their templates."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import structlog
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bot import logs, traces
from tests.support.stage import Approver, Speaker, Stage


@pytest.fixture
def spans(stage: Stage) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    traces.use_tracer(provider.get_tracer("test"))  # the app was built before: it only reads the tracer in use
    yield exporter
    traces.use_tracer(None)
    provider.shutdown()


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    before = structlog.get_config()
    logs.configure("debug")
    yield stream
    structlog.configure(**before)


async def test_tokens_reach_neither_logs_nor_metrics_nor_traces_nor_the_database(
    stage: Stage, ana: Speaker, bo: Approver, spans: InMemorySpanExporter, written: io.StringIO, tmp_path: Path
) -> None:
    await ana.says("I need a sandbox account in Demos for team-x@corp.example")
    await ana.says("yes")
    await bo.opens_the_mail()
    token = urlsplit(bo.path).path.rsplit("/", 1)[1]
    await bo.approves()
    await stage.client().get(f"/account/confirm/{token}x?secret={token}")
    metrics = (await stage.client().get("/metrics")).text

    assert "/account/confirm/{token}" in metrics
    assert token not in metrics
    assert "/account/confirm/{token}" in written.getvalue()
    assert token not in written.getvalue()
    traced = [(s.name, dict(s.attributes or {})) for s in spans.get_finished_spans()]
    assert any(name == "POST /account/confirm/{token}" for name, _ in traced)
    assert token not in str(traced)
    with sqlite3.connect(tmp_path / "quartermaster.sqlite") as database:
        dump = "\n".join(database.iterdump())
    assert "approval_tokens" in dump
    assert token not in dump


async def test_an_unmatched_path_is_not_written_down(stage: Stage, written: io.StringIO) -> None:
    answer = await stage.client().get("/some/secret-looking/path")
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert "secret-looking" not in written.getvalue()
    assert "(unmatched)" in written.getvalue()


def test_values_named_as_secrets_are_redacted(written: io.StringIO) -> None:
    log = structlog.get_logger()
    log.info("said", slack_token="xoxb-1", Authorization="Bearer x", link="see /account/confirm/abc-DEF_1 now")
    line = written.getvalue()
    assert "xoxb-1" not in line
    assert "Bearer x" not in line
    assert "abc-DEF_1" not in line
    assert "/account/confirm/[redacted] now" in line


async def test_every_response_has_the_headers_that_keep_browsers_safe(stage: Stage) -> None:
    for path in ("/healthz", "/nowhere", "/v1/requests", "/account/confirm/unknown"):
        headers = (await stage.client().get(path)).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] == "no-referrer", path
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        assert headers["x-request-id"], path


async def test_ready_tells_each_part(stage: Stage) -> None:
    answer = await stage.client().get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["parts"].keys() >= {"database", "recogniser", "workflows", "rest", "email", "console"}


async def test_metrics_count_what_operators_ask_about(stage: Stage, ana: Speaker) -> None:
    await ana.says("help")
    text = (await stage.client().get("/metrics")).text
    for name in (
        "quartermaster_activities_total",
        "quartermaster_ack_seconds",
        "quartermaster_turn_seconds",
        "quartermaster_requests",
        "quartermaster_step_retries",
        "quartermaster_outbox_lag",
    ):
        assert name in text
