"""Events: what gives a reason to look, and what does not."""

from __future__ import annotations

import json

import pytest

from intents.releases.events import _told_of

ENDED = {
    "detail-type": "CodePipeline Pipeline Execution State Change",
    "detail": {"execution-id": "run-1", "state": "FAILED"},
}
WAITS = {
    "detail-type": "CodePipeline Action Execution State Change",
    "detail": {"execution-id": "run-2", "state": "STARTED", "type": {"category": "Approval"}},
}


SHIFTED = {
    "detail-type": "CodeDeploy Deployment State-change Notification",
    "detail": {"deploymentId": "d-A1B2C3D4E", "state": "STOP"},
}


@pytest.mark.parametrize(("event", "run"), [(ENDED, "run-1"), (WAITS, "run-2"), (SHIFTED, "d-A1B2C3D4E")])
def test_an_end_and_an_approval_are_reasons_to_look_also_in_an_envelope_of_sns(
    event: dict[str, object], run: str
) -> None:
    body = json.dumps(event)
    assert _told_of(body) == run
    assert _told_of(json.dumps({"Type": "Notification", "MessageId": "m-1", "Message": body})) == run


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no JSON",
        "[]",
        "null",
        "7",
        "[" * 100_000,
        json.dumps({"Type": "Notification"}),
        json.dumps({"Type": "Notification", "Message": {}}),
        json.dumps({"detail-type": [], "detail": []}),
        json.dumps({**SHIFTED, "detail": {"deploymentId": "d-A1B2C3D4E", "state": "START"}}),
        json.dumps({**SHIFTED, "detail": {"state": "STOP"}}),
        json.dumps({**ENDED, "detail": {"execution-id": "run-1", "state": "STARTED"}}),
        json.dumps({**WAITS, "detail": {"execution-id": "run-2", "state": "STARTED", "type": {"category": "Build"}}}),
        json.dumps({"detail-type": "EC2 Instance State-change Notification", "detail": {"state": "stopped"}}),
    ],
)
def test_everything_else_is_none(body: str) -> None:
    assert _told_of(body) == ""
