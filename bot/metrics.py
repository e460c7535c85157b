"""Prometheus metrics; labels come from fixed sets only, never from what somebody sent."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

ACTIVITIES = Counter("quartermaster_activities_total", "Activities handled.", ["channel", "outcome"])
ACK_SECONDS = Histogram(
    "quartermaster_ack_seconds",
    "From an activity's arrival to its commit in the inbox.",
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 3),
)
TURN_SECONDS = Histogram(
    "quartermaster_turn_seconds",
    "Handling one activity, from the inbox to its answer's commit.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
RECOGNISE_SECONDS = Histogram(
    "quartermaster_recognise_seconds",
    "Understanding one text.",
    ["recogniser"],
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2, 1, 2),
)
REQUESTS = Gauge("quartermaster_requests", "Requests by state.", ["state"])
STEP_RETRIES = Counter("quartermaster_step_retries_total", "Workflow steps tried again.", ["intent"])
OUTBOX_DELIVERIES = Counter("quartermaster_outbox_deliveries_total", "Outbox rows.", ["channel", "outcome"])
OUTBOX_LAG = Histogram(
    "quartermaster_outbox_lag_seconds", "From handing in to delivery.", buckets=(0.05, 0.2, 1, 5, 30, 300)
)
HTTP_SECONDS = Histogram(
    "quartermaster_http_seconds",
    "HTTP requests by route template.",
    ["method", "route", "status"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2, 10),
)
