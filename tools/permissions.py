"""What IAM asks for a call: its action, the resources it can be held to, and what AWS adds that no code shows.

Actions are those of AWS's Service Authorization Reference. `FACTS` are not derived from our code: AWS calls
further operations on the caller's behalf, and documents which.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from botocore.loaders import Loader
from botocore.model import ServiceModel

from tools.calls import Call

REQUEST_CONDITION = {"StringLike": {"aws:PrincipalTag/quartermaster-request": "qm-*"}}
"""Holds only in sessions that are tagged with a request: those that carry one out."""
STOPS = frozenset(
    (
        "codedeploy:StopDeployment",
        "codepipeline:StopPipelineExecution",
        "fis:StopExperiment",
        "fis:UpdateSafetyLeverState",
    )
)
"""What must be possible at any time, outside of a request."""
_PREFIXES = {
    "cloudwatch": "cloudwatch",
    "resourcegroupstaggingapi": "tag",
    "service-quotas": "servicequotas",
    "sso-admin": "sso",
}
"""Services whose actions have another prefix than their signing name."""
_READS = re.compile(r"^(Describe|List|Get|Search|Scan|Lookup|Simulate|Batch(Get|Describe)|View|Recognize)")
_ACTIONS: Mapping[tuple[str, str], tuple[str, ...]] = {
    # An object that is locked as it is put, one version of it, and the list of versions.
    ("s3", "PutObject"): ("s3:PutObject", "s3:PutObjectRetention"),
    ("s3", "GetObject"): ("s3:GetObjectVersion",),
    ("s3", "ListObjectVersions"): ("s3:ListBucketVersions",),
}
"""Operations whose actions are not called as they are (Service Authorization Reference, Amazon S3)."""
_NO_PERMISSION = {"sts:GetCallerIdentity"}


class UnknownOperation(Exception):
    """The code calls what AWS's API does not have."""


@dataclass(frozen=True)
class Names:
    """What a house puts into ARNs; the defaults are placeholders for people to fill in."""

    region: str = "REGION"
    management: str = "MANAGEMENT_ACCOUNT"
    organization: str = "ORGANIZATION"
    bot: str = "BOT_ACCOUNT"
    management_role: str = "arn:aws:iam::MANAGEMENT_ACCOUNT:role/QuartermasterManagement"
    member_role: str = "AWSControlTowerExecution"
    sender: str = "*"
    topic: str = "TOPIC"
    lex_bot: str = "LEX_BOT_ID/LEX_BOT_ALIAS_ID"
    lex_bot_id: str = "LEX_BOT_ID"
    table: str = "DEPLOYMENT_TABLE"
    anchors: str = "AUDIT_ANCHOR_BUCKET"


@dataclass(frozen=True)
class Facts:
    """Permissions that AWS needs beside the call itself, with the page of its documentation that says so."""

    name: str
    actions: tuple[str, ...]
    source: str


_PRODUCT = ("arn:aws:catalog:{region}:{management}:product/*",)
_ACCOUNT = ("arn:aws:organizations::{management}:account/{organization}/*",)
_UNITS = (
    "arn:aws:organizations::{management}:ou/{organization}/*",
    "arn:aws:organizations::{management}:root/{organization}/*",
)
_IDENTITY_CENTER = (
    "arn:aws:sso:::instance/*",
    "arn:aws:sso:::permissionSet/*/*",
    "arn:aws:sso:::account/*",
)
_LEX_BOT = ("arn:aws:lex:{region}:{bot}:bot/{lex_bot_id}",)
_LEX_ROLE = ("arn:aws:iam::{bot}:role/aws-service-role/lexv2.amazonaws.com/AWSServiceRoleForLexV2Bots_Quartermaster",)
_RESOURCES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("servicecatalog:DescribeProduct", _PRODUCT),
    ("servicecatalog:DescribeProvisioningParameters", _PRODUCT),
    ("servicecatalog:ListLaunchPaths", _PRODUCT),
    ("servicecatalog:ProvisionProduct", _PRODUCT),
    ("organizations:ListOrganizationalUnitsForParent", _UNITS),
    ("organizations:ListAccountsForParent", _UNITS),
    ("organizations:ListChildren", _UNITS),
    ("organizations:DescribeOrganizationalUnit", _UNITS),
    ("organizations:DescribeAccount", _ACCOUNT),
    ("organizations:CloseAccount", _ACCOUNT),
    ("organizations:MoveAccount", (*_ACCOUNT, *_UNITS)),
    ("organizations:ListParents", (*_ACCOUNT, *_UNITS)),
    ("organizations:*Tag*Resource", (*_ACCOUNT, *_UNITS)),
    ("account:*", ("arn:aws:account::{management}:account", "arn:aws:account::{management}:account/{organization}/*")),
    ("budgets:ViewBudget", ("arn:aws:budgets::*:*",)),  # listing them is about no budget by name
    ("budgets:*", ("arn:aws:budgets::*:budget/*",)),
    ("controltower:GetLandingZone", ("arn:aws:controltower:{region}:{management}:landingzone/*",)),
    ("controltower:GetEnabledBaseline", ("arn:aws:controltower:{region}:{management}:enabledbaseline/*",)),
    ("sso:ListInstances", ("*",)),
    ("sso:*", _IDENTITY_CENTER),
    (
        "identitystore:*",
        (
            "arn:aws:identitystore::{management}:identitystore/*",
            "arn:aws:identitystore:::user/*",
            "arn:aws:identitystore:::group/*",
            "arn:aws:identitystore:::membership/*",
        ),
    ),
    ("cloudtrail:GetTrailStatus", ("arn:aws:cloudtrail:*:{management}:trail/*",)),
    ("cloudformation:DescribeStack*", ("arn:aws:cloudformation:*:*:stack/*",)),
    ("cloudformation:ListStackResources", ("arn:aws:cloudformation:*:*:stack/*",)),
    ("ses:SendEmail", ("arn:aws:ses:{region}:{bot}:identity/{sender}",)),
    ("ses:SendRawEmail", ("arn:aws:ses:{region}:{bot}:identity/{sender}",)),
    ("fis:StartExperiment", ("arn:aws:fis:*:*:experiment-template/*", "arn:aws:fis:*:*:experiment/*")),
    ("fis:StopExperiment", ("arn:aws:fis:*:*:experiment/*",)),
    ("fis:GetExperimentTemplate", ("arn:aws:fis:*:*:experiment-template/*",)),
    ("fis:ListTargetAccountConfigurations", ("arn:aws:fis:*:*:experiment-template/*",)),
    ("fis:GetExperiment", ("arn:aws:fis:*:*:experiment/*",)),
    ("fis:ListExperimentResolvedTargets", ("arn:aws:fis:*:*:experiment/*",)),
    ("fis:*SafetyLever*", ("arn:aws:fis:*:*:safety-lever/*",)),
    ("sqs:*", ("arn:aws:sqs:*:*:*",)),
    ("codepipeline:ListPipelines", ("*",)),
    ("codepipeline:*", ("arn:aws:codepipeline:*:*:*",)),
    ("codedeploy:*DeploymentTargets", ("*",)),
    ("codedeploy:GetDeploymentConfig", ("arn:aws:codedeploy:*:*:deploymentconfig:*",)),
    ("codedeploy:*ApplicationRevision", ("arn:aws:codedeploy:*:*:application:*",)),
    ("codedeploy:*", ("arn:aws:codedeploy:*:*:deploymentgroup:*",)),
    ("lambda:GetAlias", ("arn:aws:lambda:*:*:function:*",)),
    ("lambda:ListVersionsByFunction", ("arn:aws:lambda:*:*:function:*",)),
    ("ecs:DescribeServices", ("arn:aws:ecs:*:*:service/*",)),
    ("codecommit:*", ("arn:aws:codecommit:*:*:*",)),
    ("dynamodb:*", ("arn:aws:dynamodb:*:*:table/{table}",)),
    ("codebuild:BatchGetBuilds", ("arn:aws:codebuild:*:*:project/*",)),
    ("logs:GetLogEvents", ("arn:aws:logs:*:*:log-group:/aws/codebuild/*",)),
    ("sns:Publish", ("arn:aws:sns:{region}:{bot}:{topic}",)),
    ("sns:GetTopicAttributes", ("arn:aws:sns:{region}:{bot}:{topic}",)),
    ("sns:Subscribe", ("arn:aws:sns:*:*:{topic}",)),
    ("lex:RecognizeText", ("arn:aws:lex:{region}:{bot}:bot-alias/{lex_bot}",)),
    ("lex:*Session", ("arn:aws:lex:{region}:{bot}:bot-alias/{lex_bot}",)),
    ("lex:ListBots", ("*",)),
    ("lex:CreateBot", ("arn:aws:lex:{region}:{bot}:bot/*",)),
    ("lex:ListBotAliases", _LEX_BOT),
    ("lex:*BotAlias", ("arn:aws:lex:{region}:{bot}:bot-alias/{lex_bot_id}/*",)),
    ("lex:*", _LEX_BOT),
    ("s3:ListBucketVersions", ("arn:aws:s3:::{anchors}",)),
    ("s3:*", ("arn:aws:s3:::{anchors}/*",)),
    ("iam:GetRole", _LEX_ROLE),
    ("iam:CreateServiceLinkedRole", _LEX_ROLE),
    ("iam:PassRole", _LEX_ROLE),
)
"""The first pattern that fits an action says its resources; what none fits can't be held to any: "*"."""

_ACCOUNT_FACTORY = Facts(
    name="AccountFactory",
    actions=(
        "controltower:DescribeManagedAccount",
        "organizations:DescribeCreateAccountStatus",
        "organizations:DescribeOrganization",
        "s3:GetObject",
        "sso:DescribeRegisteredRegions",
        "sso:GetApplicationInstance",
        "sso:GetPeregrineStatus",
        "sso:GetPermissionSet",
        "sso:GetProfile",
        "sso:GetSSOStatus",
        "sso:GetTrust",
        "sso:ListDirectoryAssociations",
        "sso:ListPermissionSets",
        "sso:ListProfileAssociations",
        "sso-directory:DescribeDirectory",
        "sso-directory:DescribeGroups",
        "sso-directory:GetUserPoolInfo",
        "sso-directory:ListMembersInGroup",
        "sso-directory:SearchGroups",
        "sso-directory:SearchGroupsWithGroupName",
        "sso-directory:SearchUsers",
        "controltower:CreateManagedAccount",
        "controltower:DeregisterManagedAccount",
        "organizations:CreateAccount",
        "sso:AssociateProfile",
        "sso:CreateApplicationInstance",
        "sso:CreateProfile",
        "sso:CreateTrust",
        "sso:ProvisionApplicationInstanceForAWSAccount",
        "sso:ProvisionApplicationProfileForAWSAccountInstance",
        "sso:ProvisionSAMLProvider",
        "sso:UpdateProfile",
        "sso:UpdateTrust",
        "sso-directory:AddMemberToGroup",
        "sso-directory:CreateUser",
    ),
    source="AWS Control Tower User Guide, “Permissions required for accounts” and “Account Factory”",
)
FACTS: Mapping[str, Facts] = {
    "servicecatalog:ProvisionProduct": _ACCOUNT_FACTORY,
    "servicecatalog:UpdateProvisionedProduct": _ACCOUNT_FACTORY,
    "servicecatalog:TerminateProvisionedProduct": _ACCOUNT_FACTORY,
    "codedeploy:CreateDeployment": Facts(
        name="CodeDeploy",
        actions=(
            "codedeploy:GetDeploymentConfig",
            "codedeploy:GetApplicationRevision",
            "codedeploy:RegisterApplicationRevision",
        ),
        source="AWS CodePipeline User Guide, “Add permissions to the CodePipeline service role”, as to CodeDeploy",
    ),
    "fis:StartExperiment": Facts(
        name="Experiment",
        actions=("fis:TagResource",),
        source="AWS FIS User Guide, “Identity-based policy examples”",
    ),
    "lex:CreateBot": Facts(
        name="LexRole",
        actions=("iam:PassRole",),
        source="IAM User Guide, “Grant a user permissions to pass a role to an AWS service”",
    ),
    "ses:SendEmail": Facts(
        name="Mail",
        actions=("ses:SendRawEmail",),
        source="Amazon SES API v2, SendEmail with raw content",
    ),
}


def actions_of(call: Call) -> tuple[str, ...]:
    """Return the IAM actions that a call needs, none for what everybody may; raises UnknownOperation."""
    _check(call.service, call.operation)
    prefix = _PREFIXES.get(call.service, _signing_name(call.service))
    if (call.service, call.operation) in _ACTIONS:
        return _ACTIONS[call.service, call.operation]
    if prefix == "budgets" and "Tag" not in call.operation:
        return ("budgets:ViewBudget",) if is_read(call.operation) else ("budgets:ModifyBudget",)
    action = f"{prefix}:{call.operation}"
    return () if action in _NO_PERMISSION else (action,)


def is_read(operation: str) -> bool:
    """Tell whether an operation, or an action without its prefix, only looks."""
    return bool(_READS.match(operation))


def resources_of(action: str, names: Names) -> tuple[str, ...]:
    """Return the ARNs that an action can be held to, "*" where AWS takes none."""
    for pattern, resources in _RESOURCES:
        if fnmatchcase(action, pattern):
            return tuple(resource.format(**vars(names)) for resource in resources)
    return ("*",)


@cache
def _model(service: str) -> ServiceModel:
    try:
        return ServiceModel(Loader().load_service_model(service, "service-2"), service)
    except Exception as error:
        raise UnknownOperation(f"AWS has no service {service!r}.") from error


def _signing_name(service: str) -> str:
    return str(_model(service).signing_name)


def _check(service: str, operation: str) -> None:
    if operation not in _model(service).operation_names:
        raise UnknownOperation(f"{service} has no operation {operation}.")
