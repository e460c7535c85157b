"""The faults that any call can meet meet every operation of these services, in the service's own codes."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from sandbox import services as registered
from sandbox.registry import OPERATIONS
from tests.sandbox.landing import Aws

# service -> codes of throttling and of a denied call
CODES = {
    "account": ("TooManyRequestsException", "AccessDeniedException"),
    "budgets": ("ThrottlingException", "AccessDeniedException"),
    "ce": ("ThrottlingException", "AccessDeniedException"),
    "cloudtrail": ("ThrottlingException", "AccessDeniedException"),
    "config": ("ThrottlingException", "AccessDeniedException"),
    "controltower": ("ThrottlingException", "AccessDeniedException"),
    "devops-guru": ("ThrottlingException", "AccessDeniedException"),
    "identitystore": ("ThrottlingException", "AccessDeniedException"),
    "sso-admin": ("ThrottlingException", "AccessDeniedException"),
}
SERVED = sorted(key for key in OPERATIONS if key[0] in CODES)


def sample(shape: Any) -> Any:
    """The least that the SDK sends for a shape; it checks types and minima, and no patterns."""
    least = int(shape.metadata.get("min", 0))
    if shape.type_name == "structure":
        if shape.is_document_type:
            return "x"
        names = list(shape.required_members)
        if getattr(shape, "is_tagged_union", False):
            names = list(shape.members)[:1]
        return {name: sample(shape.members[name]) for name in names}
    if shape.type_name == "list":
        return [sample(shape.member)] * least
    if shape.type_name == "string":
        return shape.enum[0] if shape.enum else "1" * max(least, 1)
    return {"boolean": True, "timestamp": 0, "map": {}}.get(shape.type_name, max(least, 1))


def struck_out(aws: Aws, fault: str) -> bool:
    states = {entry["name"]: entry for entry in aws.get("faults")}
    return bool(states[fault]["remaining"] == 0)


@pytest.mark.parametrize(("service", "operation"), SERVED, ids=["-".join(key) for key in SERVED])
def test_every_operation_meets_every_common_fault(aws: Aws, service: str, operation: str) -> None:
    assert registered.__name__ == "sandbox.services"
    client = aws.client(service)
    model = client.meta.service_model.operation_model(operation)
    (method,) = [name for name, named in client.meta.method_to_api_mapping.items() if named == operation]
    parameters = sample(model.input_shape) if model.input_shape is not None else {}
    throttled, denied = CODES[service]

    for fault, code in (("throttling", throttled), ("access_denied", denied), ("server_error", None)):
        aws.post("faults", name=fault, on=True, times=1, operation=f"{service}:{operation}")
        with pytest.raises(ClientError) as caught:
            getattr(client, method)(**parameters)
        if code is None:
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
        else:
            assert caught.value.response["Error"]["Code"] == code
        assert struck_out(aws, fault)

    aws.post("faults", name="connection_reset", on=True, times=1, operation=f"{service}:{operation}")
    with pytest.raises(ConnectionClosedError):
        getattr(client, method)(**parameters)
    aws.post("faults", name="slow", on=True, times=1, seconds=0, operation=f"{service}:{operation}")
    try:
        getattr(client, method)(**parameters)
    except ClientError as error:
        # The made-up parameters may be refused, but only for what they are.
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403, 404)  # noqa: PT017
    assert struck_out(aws, "slow")


def test_every_service_of_these_serves_something() -> None:
    assert {service for service, _ in SERVED} == set(CODES)
    assert len(SERVED) >= 43
