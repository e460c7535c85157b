"""Amazon SES, the older API: takes mail and delivers none; what was sent is in the call log."""

from __future__ import annotations

import uuid
from typing import Any

from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, Service, serve

operation = serve(
    Service(
        "ses",
        signing_name="ses",
        invalid="ValidationError",
        throttled="Throttling",
        denied="AccessDenied",
        failed="InternalFailure",
        denied_status=403,
    )
)


@operation("SendEmail")
def send_email(_context: Context, parameters: Parameters) -> dict[str, Any]:
    """Take a mail."""
    destination = parameters["Destination"]
    if not any(destination.get(kind) for kind in ("ToAddresses", "CcAddresses", "BccAddresses")):
        raise AwsError("InvalidParameterValue", "Missing final recipient: at least one is needed.")
    return {"MessageId": new_message_id()}


@operation("SendRawEmail")
def send_raw_email(_context: Context, _parameters: Parameters) -> dict[str, Any]:
    """Take a mail that is MIME already."""
    return {"MessageId": new_message_id()}


def new_message_id() -> str:
    """A message id as SES makes them."""
    return f"{uuid.uuid4().hex[:16]}-{uuid.uuid4()}-000000"
