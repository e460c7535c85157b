"""The deliveries that every fresh sandbox starts with: a component called shop, on seven pools and four silos.

Pipelines are called {type}-{id}-pipeline and live in the management account's home Region, each tagged with what it
deploys where. pool-6 has a manual approval, pool-7 queues what comes, and silo-hooli runs in parallel.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache

from sandbox.delivery.deployables import Deployable, add_deployable
from sandbox.delivery.model import Commit, Pipeline, Repository
from sandbox.delivery.queue_model import Queue, Rule
from sandbox.delivery.state import Delivery
from sandbox.delivery.structures import Structure, of_deployments
from sandbox.delivery.table_model import Table
from sandbox.delivery.tables import put_item
from sandbox.delivery.tool_model import Project
from sandbox.landing_zone import FOUNDED, HOME_REGION, MANAGEMENT_ACCOUNT, RELEASE_NAME, topic_arn

TOOLCHAIN_ACCOUNT, TOOLCHAIN_REGION = MANAGEMENT_ACCOUNT, HOME_REGION
SHOP_ACCOUNT = "666677778888"
COMPONENT = "shop"
FUNCTION_APPLICATION, SERVICE_APPLICATION = f"{COMPONENT}-prices", f"{COMPONENT}-web"
PROVISIONING_PROJECT = "deployment-provisioning"
FUNCTION = "chaos-stage"
TABLE = "saas-deployments"
"""The table in the form of the SaaS sample's: a record is id, type, account and region."""

# type, id, account, region, mode, approval
DEPLOYMENTS = (
    ("pool", "1", "666677778888", "us-east-1", "SUPERSEDED", False),
    ("pool", "2", "666677778888", "us-east-1", "SUPERSEDED", False),
    ("pool", "3", "666677778888", "us-east-1", "SUPERSEDED", False),
    ("pool", "4", "666677778888", "eu-central-1", "SUPERSEDED", False),
    ("pool", "5", "666677778888", "eu-central-1", "SUPERSEDED", False),
    ("pool", "6", "666677778888", "eu-central-1", "SUPERSEDED", True),
    ("pool", "7", "666688889999", "eu-central-1", "QUEUED", False),
    ("silo", "acme", "444466667777", "us-east-1", "SUPERSEDED", False),
    ("silo", "globex", "444466667777", "eu-central-1", "SUPERSEDED", True),
    ("silo", "initech", "555566667777", "us-east-1", "SUPERSEDED", False),
    ("silo", "hooli", "444455556666", "us-east-1", "PARALLEL", False),
)
# version, message, author
_HISTORY = (
    ("2.3.0", "Baskets are kept for thirty days", "ana@corp.example"),
    ("2.4.0", "Prices in four currencies", "bo@corp.example"),
    ("", "Fewer queries on the list of orders", "cy@corp.example"),
    ("2.4.1", "Orders with an empty address are refused", "ana@corp.example"),
)
_RULES = {
    "executions": {
        "source": ["aws.codepipeline"],
        "detail-type": ["CodePipeline Pipeline Execution State Change"],
        "detail": {"state": [{"anything-but": ["STARTED", "STOPPING"]}]},
    },
    "approvals": {
        "source": ["aws.codepipeline"],
        "detail-type": ["CodePipeline Action Execution State Change"],
        "detail": {"state": ["STARTED"], "type": {"category": ["Approval"]}},
    },
}
_DEPLOYMENT_ENDS = {"source": ["aws.codedeploy"], "detail": {"state": ["SUCCESS", "FAILURE", "STOP", "READY"]}}
"""The rules that bring news to the queue and the topic: what has ended, and what waits for an answer."""


def seed_delivery() -> Delivery:
    """Fresh deliveries; each call makes independent ones."""
    delivery = Delivery()
    delivery.keep("repositories", f"{TOOLCHAIN_ACCOUNT}/{TOOLCHAIN_REGION}/{COMPONENT}", seed_repository(COMPONENT))
    for kind, identifier, account, region, mode, is_approved in DEPLOYMENTS:
        values = {"component": COMPONENT, "type": kind, "id": identifier, "account": account, "region": region}
        add_pipeline(delivery, deployment_structure(mode, is_approved), values, FOUNDED)
    chaos = Pipeline(
        key=f"{TOOLCHAIN_ACCOUNT}/{TOOLCHAIN_REGION}/checkout-delivery",
        name="checkout-delivery",
        account_id=TOOLCHAIN_ACCOUNT,
        region=TOOLCHAIN_REGION,
        structures=[delivery.share(_chaos_structure())],
        created_at=FOUNDED,
        updated_at=FOUNDED,
        seconds=[0.0, 0.0],
    )
    delivery.keep("pipelines", chaos.key, chaos)
    for name in (f"{COMPONENT}-build", f"{COMPONENT}-verify", PROVISIONING_PROJECT):
        _seed_project(delivery, name)
    _seed_news(delivery)
    _seed_applications(delivery)
    _seed_table(delivery)
    return delivery


def add_pipeline(
    delivery: Delivery,
    structure: Structure,
    values: dict[str, str],
    at: float,
    *,
    home: tuple[str, str] = (TOOLCHAIN_ACCOUNT, TOOLCHAIN_REGION),
    name: str = "",
) -> Pipeline:
    """Make the pipeline of a deployment, called by its type and id and tagged with all that it is for."""
    account, region = home
    name = name or f"{values['type']}-{values['id']}-pipeline"
    pipeline = Pipeline(
        key=f"{account}/{region}/{name}",
        name=name,
        account_id=account,
        region=region,
        structures=[delivery.share(structure)],
        created_at=at,
        updated_at=at,
        values=values,
        tags=dict(values),
    )
    delivery.keep("pipelines", pipeline.key, pipeline)
    return pipeline


def seed_repository(name: str) -> Repository:
    """A repository with a few versions, the same every time."""
    repository = Repository(f"{TOOLCHAIN_ACCOUNT}/{TOOLCHAIN_REGION}/{name}", name, TOOLCHAIN_ACCOUNT, TOOLCHAIN_REGION)
    for number, (version, message, author) in enumerate(_HISTORY):
        add_commit(repository, message, author, FOUNDED + (number + 1) * 7 * 86_400.0, version)
    return repository


def add_commit(
    repository: Repository, message: str, email: str, at: float, version: str = "", branch: str = "main"
) -> Commit:
    """Add a commit to a branch, tagged as a version if there is one."""
    parent = repository.branches.get(branch, "")
    unique = f"{repository.name}/{parent}/{message}/{email}/{at}"
    commit = Commit(
        id=hashlib.sha1(unique.encode(), usedforsecurity=False).hexdigest(),
        parent=parent,
        message=message,
        author=email.partition("@")[0].capitalize(),
        email=email,
        at=at,
    )
    repository.commits[commit.id] = commit
    repository.branches[branch] = commit.id
    if version:
        repository.tags[version] = commit.id
    return commit


def _seed_applications(delivery: Delivery) -> None:
    """In Webshop Prod: a function and a service of the shop's, watched by the checkout's alarm."""
    where = f"{SHOP_ACCOUNT}/{TOOLCHAIN_REGION}"
    for name, platform, config in (
        (FUNCTION_APPLICATION, "Lambda", "CodeDeployDefault.LambdaCanary10Percent5Minutes"),
        (SERVICE_APPLICATION, "ECS", "CodeDeployDefault.ECSLinear10PercentEvery1Minutes"),
    ):
        wish = Deployable(
            name=name,
            platform=platform,
            account=SHOP_ACCOUNT,
            region=TOOLCHAIN_REGION,
            config=config,
            versions=("2.3.0", "2.4.0", "2.4.1"),
            current="2.4.0",
            first=6,
            service="shop",
            alarms=("checkout-prod-errors",),
        )
        add_deployable(delivery, wish, FOUNDED)
    rule = Rule(
        f"{where}/{RELEASE_NAME}-deployments",
        f"{RELEASE_NAME}-deployments",
        SHOP_ACCOUNT,
        TOOLCHAIN_REGION,
        json.dumps(_DEPLOYMENT_ENDS),
    )
    queue = f"arn:aws:sqs:{TOOLCHAIN_REGION}:{TOOLCHAIN_ACCOUNT}:{RELEASE_NAME}"
    rule.targets = {"queue": {"Id": "queue", "Arn": queue}}
    delivery.keep("rules", rule.key, rule)


def _seed_table(delivery: Delivery) -> None:
    table = Table(
        f"{TOOLCHAIN_ACCOUNT}/{TOOLCHAIN_REGION}/{TABLE}", TABLE, TOOLCHAIN_ACCOUNT, TOOLCHAIN_REGION, FOUNDED
    )
    delivery.keep("tables", table.key, table)
    for kind, identifier, account, region, *_ in DEPLOYMENTS:
        values = {"id": identifier, "type": kind, "account": account, "region": region}
        put_item(delivery, table, {name: {"S": value} for name, value in values.items()})


def _seed_project(delivery: Delivery, name: str) -> None:
    key = f"{TOOLCHAIN_ACCOUNT}/{TOOLCHAIN_REGION}/{name}"
    environment = {
        "type": "LINUX_CONTAINER",
        "image": "aws/codebuild/standard:7.0",
        "computeType": "BUILD_GENERAL1_SMALL",
        "environmentVariables": [],
    }
    declared = {
        "source": {"type": "NO_SOURCE" if name == PROVISIONING_PROJECT else "CODEPIPELINE"},
        "artifacts": {"type": "NO_ARTIFACTS" if name == PROVISIONING_PROJECT else "CODEPIPELINE"},
        "environment": environment,
        "serviceRole": f"arn:aws:iam::{TOOLCHAIN_ACCOUNT}:role/Builds",
        "timeoutInMinutes": 60,
    }
    project = Project(key, name, TOOLCHAIN_ACCOUNT, TOOLCHAIN_REGION, FOUNDED, FOUNDED, declared)
    delivery.keep("projects", key, project)


def _seed_news(delivery: Delivery) -> None:
    where = f"{TOOLCHAIN_ACCOUNT}/{TOOLCHAIN_REGION}"
    queue = Queue(f"{where}/{RELEASE_NAME}", RELEASE_NAME, TOOLCHAIN_ACCOUNT, TOOLCHAIN_REGION, FOUNDED)
    delivery.keep("queues", queue.key, queue)
    targets = {
        "queue": {"Id": "queue", "Arn": queue.arn},
        "topic": {"Id": "topic", "Arn": topic_arn(TOOLCHAIN_ACCOUNT, TOOLCHAIN_REGION, RELEASE_NAME)},
    }
    for what, pattern in _RULES.items():
        name = f"{RELEASE_NAME}-{what}"
        rule = Rule(f"{where}/{name}", name, TOOLCHAIN_ACCOUNT, TOOLCHAIN_REGION, json.dumps(pattern))
        rule.targets = {key: dict(target) for key, target in targets.items()}
        delivery.keep("rules", rule.key, rule)


@cache
def deployment_structure(mode: str = "SUPERSEDED", is_approved: bool = False, is_tested: bool = True) -> Structure:
    """What deployments' pipelines share."""
    return of_deployments(TOOLCHAIN_ACCOUNT, mode=mode, is_approved=is_approved, is_tested=is_tested)


@cache
def _chaos_structure() -> Structure:
    source = {"category": "Source", "owner": "AWS", "provider": "CodeCommit", "version": "1"}
    invoke = {"category": "Invoke", "owner": "AWS", "provider": "Lambda", "version": "1"}
    fetched = {"RepositoryName": "checkout", "BranchName": "main"}
    called = {"FunctionName": FUNCTION, "UserParameters": '{"environment": "staging"}'}
    return Structure(
        {
            "roleArn": f"arn:aws:iam::{TOOLCHAIN_ACCOUNT}:role/Pipelines",
            "artifactStore": {"type": "S3", "location": f"corp-artifacts-{TOOLCHAIN_ACCOUNT}"},
            "stages": [
                {
                    "name": "Source",
                    "actions": [{"name": "Source", "actionTypeId": source, "runOrder": 1, "configuration": fetched}],
                },
                {
                    "name": "Chaos",
                    "actions": [{"name": "Experiment", "actionTypeId": invoke, "runOrder": 1, "configuration": called}],
                },
            ],
            "executionMode": "PARALLEL",
            "pipelineType": "V2",
        }
    )
