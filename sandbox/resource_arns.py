"""Which resources a call is about, as ARNs that a policy's Resource can be held against."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.landing_zone import (
    MANAGEMENT_ACCOUNT,
    ORGANIZATION_ID,
    ROOT_ID,
    account_arn,
    unit_arn,
)

Alternatives = tuple[str, ...]
"""ARNs of one resource, of which a policy may name any."""

_GLOBAL = ("organizations", "iam", "budgets", "account", "sso", "identitystore")
_ORGANIZATION_IDS = (
    "AccountId",
    "ParentId",
    "ChildId",
    "ResourceId",
    "TargetId",
    "SourceParentId",
    "DestinationParentId",
    "OrganizationalUnitId",
)


def resources_of(prefix: str, account: str, region: str, parameters: Mapping[str, Any]) -> list[Alternatives]:
    """The resources of a call: what its parameters name, else everything of the service in the account.

    Derived are: accounts, OUs and the root of Organizations; Service Catalog's products; IAM roles;
    CloudFormation stacks; pipelines with their stages and actions; CodeBuild's projects; CodeDeploy's applications
    and groups; Lambda's functions; ECS services; CodeCommit's repositories; DynamoDB's tables; queues; log groups;
    EventBridge's rules; budgets; SES identities; Lex bots; accounts, instances and permission sets of IAM Identity
    Center; identity stores; and whatever parameter is an ARN by itself. Of anything else the resource is
    ``arn:aws:SERVICE:REGION:ACCOUNT:*``, to which only ``*`` fits, or a pattern that covers all of the service's
    types there.
    """
    derive = _DERIVED.get(prefix)
    found = derive(account, region, parameters) if derive is not None else []
    found += [
        (value,)
        for name, value in parameters.items()
        if isinstance(value, str) and value.startswith("arn:") and (value,) not in found and name != "roleArn"
    ]
    if found:
        return found
    return [(f"arn:aws:{prefix}:{'' if prefix in _GLOBAL else region}:{account}:*",)]


def _of_organizations(_account: str, _region: str, parameters: Mapping[str, Any]) -> list[Alternatives]:
    found: list[Alternatives] = []
    for name in _ORGANIZATION_IDS:
        identifier = parameters.get(name)
        if isinstance(identifier, str):
            found.append((_organization_arn(identifier),))
    return found


def _organization_arn(identifier: str) -> str:
    if identifier == ROOT_ID:
        return f"arn:aws:organizations::{MANAGEMENT_ACCOUNT}:root/{ORGANIZATION_ID}/{identifier}"
    return unit_arn(identifier) if identifier.startswith("ou-") else account_arn(identifier)


def _of_servicecatalog(account: str, region: str, parameters: Mapping[str, Any]) -> list[Alternatives]:
    found: list[Alternatives] = []
    identifier = parameters.get("ProductId") or parameters.get("Id")
    if isinstance(identifier, str) and identifier.startswith("prod-"):
        # Products that are shared are the sharing account's.
        accounts = dict.fromkeys((account, MANAGEMENT_ACCOUNT))
        found.append(tuple(f"arn:aws:catalog:{region}:{owner}:product/{identifier}" for owner in accounts))
    return found


def _of_iam(account: str, _region: str, parameters: Mapping[str, Any]) -> list[Alternatives]:
    name, path = parameters.get("RoleName"), parameters.get("Path", "/")
    if "AWSServiceName" in parameters:
        name = f"AWSServiceRoleForLexV2Bots_{parameters.get('CustomSuffix', '')}"
    if name is None:
        return []
    if name.startswith("AWSServiceRoleForLexV2Bots"):
        path = "/aws-service-role/lexv2.amazonaws.com/"
    return [(f"arn:aws:iam::{account}:role{path}{name}",)]


def _of_cloudformation(account: str, region: str, parameters: Mapping[str, Any]) -> list[Alternatives]:
    name = parameters.get("StackName")
    if name is None or name.startswith("arn:"):
        return []
    return [(f"arn:aws:cloudformation:{region}:{account}:stack/{name}/*",)]


def _of_budgets(account: str, _region: str, parameters: Mapping[str, Any]) -> list[Alternatives]:
    budget = parameters.get("Budget", parameters.get("NewBudget", {}))
    name = parameters.get("BudgetName") or budget.get("BudgetName")
    return [(f"arn:aws:budgets::{account}:budget/{name}",)] if name else []


def _of_account(account: str, _region: str, parameters: Mapping[str, Any]) -> list[Alternatives]:
    named = parameters.get("AccountId")
    if named is None or named == account:
        return [(f"arn:aws:account::{account}:account",)]
    return [(f"arn:aws:account::{MANAGEMENT_ACCOUNT}:account/{ORGANIZATION_ID}/{named}",)]


def _of_ses(account: str, region: str, parameters: Mapping[str, Any]) -> list[Alternatives]:
    sender = parameters.get("FromEmailAddress") or parameters.get("Source")
    if not sender:
        return []
    address = sender.rpartition("<")[2].rstrip(">").strip()
    # Either the address or its domain is what was verified.
    return [
        tuple(
            f"arn:aws:ses:{region}:{account}:identity/{identity}" for identity in (address, address.rpartition("@")[2])
        )
    ]


def _of_sso(_account: str, _region: str, parameters: Mapping[str, Any]) -> list[Alternatives]:
    target = parameters.get("TargetId") or parameters.get("AccountId")
    return [(f"arn:aws:sso:::account/{target}",)] if target else []


def _of_identitystore(account: str, _region: str, parameters: Mapping[str, Any]) -> list[Alternatives]:
    store = parameters.get("IdentityStoreId")
    return [(f"arn:aws:identitystore::{account}:identitystore/{store}",)] if store else []


def _of_lex(account: str, region: str, parameters: Mapping[str, Any]) -> list[Alternatives]:
    bot, alias = parameters.get("botId"), parameters.get("botAliasId")
    if bot is None:
        return [(f"arn:aws:lex:{region}:{account}:bot/*",)]
    if "botAliasName" in parameters:
        alias = alias or "*"
    named = f"bot-alias/{bot}/{alias}" if alias else f"bot/{bot}"
    return [(f"arn:aws:lex:{region}:{account}:{named}",)]


def _of_codepipeline(account: str, region: str, parameters: Mapping[str, Any]) -> list[Alternatives]:
    declared = parameters.get("pipeline", {})
    name = parameters.get("name") or parameters.get("pipelineName") or declared.get("name")
    if name is None:
        return []
    parts = [name, parameters.get("stageName"), parameters.get("actionName")]
    named = "/".join(part for part in parts if part)
    return [(f"arn:aws:codepipeline:{region}:{account}:{named}",)]


def _of_codebuild(account: str, region: str, parameters: Mapping[str, Any]) -> list[Alternatives]:
    named = [parameters.get("projectName") or parameters.get("name"), parameters.get("id"), *parameters.get("ids", [])]
    projects = dict.fromkeys(name.rpartition("/")[2].partition(":")[0] for name in named if name)
    return [(f"arn:aws:codebuild:{region}:{account}:project/{project}",) for project in projects]


def _of_codedeploy(account: str, region: str, parameters: Mapping[str, Any]) -> list[Alternatives]:
    application = parameters.get("applicationName")
    group = parameters.get("deploymentGroupName") or parameters.get("currentDeploymentGroupName")
    if application is None:
        # A deployment's id alone doesn't tell its group.
        is_known = "deploymentId" in parameters or "deploymentIds" in parameters
        return [(f"arn:aws:codedeploy:{region}:{account}:deploymentgroup:*",)] if is_known else []
    named = f"deploymentgroup:{application}/{group}" if group else f"application:{application}"
    return [(f"arn:aws:codedeploy:{region}:{account}:{named}",)]


def _of_lambda(account: str, region: str, parameters: Mapping[str, Any]) -> list[Alternatives]:
    name = str(parameters.get("FunctionName", "")).rpartition(":")[2]
    return [(f"arn:aws:lambda:{region}:{account}:function:{name}",)] if name else []


def _of_ecs(account: str, region: str, parameters: Mapping[str, Any]) -> list[Alternatives]:
    cluster = str(parameters.get("cluster", "default")).rpartition("/")[2]
    named = [str(name).rpartition("/")[2] for name in parameters.get("services", ())]
    return [(f"arn:aws:ecs:{region}:{account}:service/{cluster}/{name}",) for name in named]


def _of_codecommit(account: str, region: str, parameters: Mapping[str, Any]) -> list[Alternatives]:
    name = parameters.get("repositoryName")
    return [(f"arn:aws:codecommit:{region}:{account}:{name}",)] if name else []


def _of_dynamodb(account: str, region: str, parameters: Mapping[str, Any]) -> list[Alternatives]:
    name = parameters.get("TableName")
    return [(f"arn:aws:dynamodb:{region}:{account}:table/{name}",)] if name and not name.startswith("arn:") else []


def _of_sqs(account: str, region: str, parameters: Mapping[str, Any]) -> list[Alternatives]:
    url = parameters.get("QueueUrl")
    if url:
        account, name = f"//{url}".rsplit("/", 2)[1:]
    else:
        name = parameters.get("QueueName", "")
    return [(f"arn:aws:sqs:{region}:{account}:{name}",)] if name else []


def _of_logs(account: str, region: str, parameters: Mapping[str, Any]) -> list[Alternatives]:
    group, stream = parameters.get("logGroupName"), parameters.get("logStreamName")
    if group is None:
        return []
    return [(f"arn:aws:logs:{region}:{account}:log-group:{group}:{f'log-stream:{stream}' if stream else '*'}",)]


def _of_events(account: str, region: str, parameters: Mapping[str, Any]) -> list[Alternatives]:
    name = parameters.get("Rule") or parameters.get("Name")
    return [(f"arn:aws:events:{region}:{account}:rule/{name}",)] if name else []


_DERIVED = {
    "account": _of_account,
    "budgets": _of_budgets,
    "cloudformation": _of_cloudformation,
    "codebuild": _of_codebuild,
    "codecommit": _of_codecommit,
    "codedeploy": _of_codedeploy,
    "dynamodb": _of_dynamodb,
    "ecs": _of_ecs,
    "codepipeline": _of_codepipeline,
    "events": _of_events,
    "iam": _of_iam,
    "identitystore": _of_identitystore,
    "lambda": _of_lambda,
    "lex": _of_lex,
    "logs": _of_logs,
    "organizations": _of_organizations,
    "servicecatalog": _of_servicecatalog,
    "ses": _of_ses,
    "sqs": _of_sqs,
    "sso": _of_sso,
}
