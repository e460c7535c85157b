"""The role that a Lex bot works with: a service-linked one, which may do nothing that our bot needs."""

from __future__ import annotations

from bot.cloud import Cloud
from bot.errors import CloudError

SUFFIX = "Quartermaster"
NAME = f"AWSServiceRoleForLexV2Bots_{SUFFIX}"


async def service_role(cloud: Cloud, region: str) -> tuple[str, bool]:
    """Return the ARN of the bots' service-linked role, and whether it was made just now. Raises CloudError."""
    try:
        found = await cloud.call("iam", "GetRole", region=region, RoleName=NAME)
        return str(found["Role"]["Arn"]), False
    except CloudError as error:
        if error.code not in ("NoSuchEntity", "NoSuchEntityException"):
            raise
    try:
        made = await cloud.call(
            "iam",
            "CreateServiceLinkedRole",
            region=region,
            AWSServiceName="lexv2.amazonaws.com",
            CustomSuffix=SUFFIX,
            Description="Lex V2 bots of Quartermaster",
        )
    except CloudError as error:
        if "taken" not in error.message and "already" not in error.message:
            raise
        made = await cloud.call("iam", "GetRole", region=region, RoleName=NAME)  # somebody else was faster
    return str(made["Role"]["Arn"]), True
