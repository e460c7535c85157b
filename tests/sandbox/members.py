"""Clients of somebody who has assumed a role in a member account."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.landing import Aws


def client_in(aws: Aws, account_id: str, service: str, region: str = "us-east-1") -> Any:
    """A client whose caller has assumed a role in that account."""
    arn = f"arn:aws:iam::{account_id}:role/Reader"
    given = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="looks-around")["Credentials"]
    return aws.client(
        service,
        region,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def refusal_of(call: Any, **parameters: Any) -> str:
    """The error code that a call is refused with."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


def vend(aws: Aws, name: str = "team-x", **values: str) -> str:
    """Order an account, wait until it is there, and return its id."""
    record = aws.order(name, values=values)
    aws.advance(30)
    assert aws.record(record["RecordId"])["Status"] == "SUCCEEDED"
    return str(aws.account_called(name)["Id"])
