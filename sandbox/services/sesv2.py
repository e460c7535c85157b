"""Amazon SES v2: takes mail and delivers none; what was sent is in the call log."""

from __future__ import annotations

from typing import Any

from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, Service, serve
from sandbox.services.ses import new_message_id

operation = serve(
    Service(
        "sesv2",
        signing_name="ses",
        invalid="BadRequestException",
        throttled="TooManyRequestsException",
        failed="InternalServiceErrorException",
        throttled_status=429,
        denied_status=403,
    )
)


@operation("SendEmail")
def send_email(_context: Context, parameters: Parameters) -> dict[str, Any]:
    """Take a mail."""
    content = parameters["Content"]
    if len({"Simple", "Raw", "Template"} & set(content)) != 1:
        raise AwsError("BadRequestException", "Content must have one of Simple, Raw and Template.")
    if "Raw" not in content:
        destination = parameters.get("Destination", {})
        if not any(destination.get(kind) for kind in ("ToAddresses", "CcAddresses", "BccAddresses")):
            raise AwsError("BadRequestException", "Destination must have at least one address.")
        if not parameters.get("FromEmailAddress"):
            raise AwsError("BadRequestException", "FromEmailAddress must not be empty.")
    return {"MessageId": new_message_id()}


@operation("GetAccount")
def get_account(_context: Context, _parameters: Parameters) -> dict[str, Any]:
    """An account out of SES's own sandbox."""
    return {
        "ProductionAccessEnabled": True,
        "SendingEnabled": True,
        "EnforcementStatus": "HEALTHY",
        "SendQuota": {"Max24HourSend": 50_000.0, "MaxSendRate": 14.0, "SentLast24Hours": 0.0},
    }
