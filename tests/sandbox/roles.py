"""Roles as tests make and assume them."""

import json
from typing import Any

from sandbox.landing_zone import MANAGEMENT_ACCOUNT
from tests.sandbox.landing import Aws

EVERYBODY_HERE = {"AWS": f"arn:aws:iam::{MANAGEMENT_ACCOUNT}:root"}


def policy(*statements: dict[str, Any]) -> str:
    """A policy document; a statement's Effect is Allow and its Resource * unless it says otherwise."""
    listed = []
    for statement in statements:
        resource = {} if "NotResource" in statement or "Principal" in statement else {"Resource": "*"}
        listed.append({"Effect": "Allow", **resource, **statement})
    return json.dumps({"Version": "2012-10-17", "Statement": listed})


def make_role(aws: Aws, name: str, *statements: dict[str, Any], trust: str = "", **changes: Any) -> str:
    """A role of the management account with one inline policy of these statements; its ARN."""
    iam = aws.client("iam")
    default = policy({"Principal": EVERYBODY_HERE, "Action": ["sts:AssumeRole", "sts:TagSession"]})
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust or default, **changes)["Role"]
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy(*statements))
    return str(made["Arn"])


def assume(aws: Aws, arn: str, keys: dict[str, str] | None = None, **changes: Any) -> dict[str, str]:
    """The credentials of a new session of a role, as clients take them."""
    sts = aws.client("sts", **(keys or {}))
    given = sts.assume_role(**{"RoleArn": arn, "RoleSessionName": "bot", **changes})["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


def tags(**values: str) -> list[dict[str, str]]:
    """Tags as AWS lists them."""
    return [{"Key": key, "Value": value} for key, value in values.items()]
