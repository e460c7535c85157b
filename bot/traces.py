"""OpenTelemetry traces, when an endpoint is set; span names are route templates, never paths."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_tracer: Any = None


def configure(endpoint: str) -> None:
    """Send spans to the OTLP endpoint (HTTP); without one nothing is loaded and spans cost nothing."""
    global _tracer
    if not endpoint:
        _tracer = None
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "quartermaster"}))
    exporter = OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _tracer = provider.get_tracer("quartermaster")


def use_tracer(tracer: Any) -> None:
    """Use a tracer made elsewhere."""
    global _tracer
    _tracer = tracer


@contextmanager
def span(name: str) -> Iterator[Any]:
    """Trace what happens inside; yields the span, or None when traces are off."""
    if _tracer is None:
        yield None
        return
    with _tracer.start_as_current_span(name) as current:
        yield current
