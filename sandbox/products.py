"""What the portfolios hold: Account Factory, and the products of a platform team.

The platform team's portfolio is shared with the accounts below Workloads and Platform; one of its products
may be launched by one role only, and one has no active artifact.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

from sandbox.landing_zone import (
    ACCOUNT_FACTORY_ARTIFACT,
    ACCOUNT_FACTORY_NAME,
    ACCOUNT_FACTORY_PATH,
    ACCOUNT_FACTORY_PRODUCT,
    APPROVAL_TOPIC_NAME,
    FOUNDED,
    HOME_REGION,
    MANAGEMENT_ACCOUNT,
)

BUCKET_PRODUCT = "prod-encryptedbuckt"
DATABASE_PRODUCT = "prod-postgresqldata"
NETWORK_PRODUCT = "prod-privatesubnets"
BASTION_PRODUCT = "prod-bastionhost001"
RETIRED_PRODUCT = "prod-windowsserver1"
BASTION_ROLE = "NetworkAdministrator"
LAUNCH_ROLE = f"arn:aws:iam::{MANAGEMENT_ACCOUNT}:role/service-catalog-launch"


@dataclass(frozen=True)
class Artifact:
    """A version of a product; only an active one can be provisioned."""

    id: str
    name: str
    description: str
    created_at: float
    active: bool
    guidance: str = "DEFAULT"


@dataclass(frozen=True)
class Parameter:
    """A provisioning parameter and what it accepts; without a default it must be given.

    `type` is CloudFormation's: String, Number or CommaDelimitedList (whose elements are held to the
    constraints one by one).
    """

    key: str
    description: str
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    type: str = "String"
    default: str | None = None
    allowed: tuple[str, ...] = ()
    min_value: float | None = None
    max_value: float | None = None
    constraint: str = ""
    hidden: bool = False


@dataclass(frozen=True)
class Rule:
    """A TEMPLATE constraint: where one parameter has a value, another must have one of some values."""

    name: str
    when_key: str
    when_value: str
    key: str
    allowed: tuple[str, ...]
    description: str

    def as_template(self) -> str:
        """The rule as CloudFormation writes it."""
        condition = {"Fn::Equals": [{"Ref": self.when_key}, self.when_value]}
        assertion = {"Fn::Contains": [list(self.allowed), {"Ref": self.key}]}
        asserted = {"Assert": assertion, "AssertDescription": self.description}
        return json.dumps({self.name: {"RuleCondition": condition, "Assertions": [asserted]}})


@dataclass(frozen=True)
class Portfolio:
    """A portfolio and who provides it."""

    id: str
    name: str
    description: str
    provider: str


@dataclass(frozen=True)
class Product:
    """A product of a portfolio; `launchers` are the roles that may launch it (empty: everybody)."""

    id: str
    view_id: str
    name: str
    owner: str
    description: str
    kind: str
    path_id: str
    created_at: float
    artifacts: tuple[Artifact, ...]
    parameters: tuple[Parameter, ...]
    portfolio: Portfolio
    constraints: tuple[tuple[str, str], ...] = ()
    rules: tuple[Rule, ...] = ()
    tag_options: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    outputs: tuple[tuple[str, str], ...] = ()
    launchers: tuple[str, ...] = ()


def _on(year: int, month: int, day: int) -> float:
    return datetime(year, month, day, 12, 0, tzinfo=UTC).timestamp()


_EMAIL = r"[^\s@]+@[^\s@]+\.[^\s@]+"
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"

PORTFOLIO = Portfolio(
    "port-ctacctfactry", "AWS Control Tower Account Factory Portfolio", "Vends accounts.", "AWS Control Tower"
)
PLATFORM_PORTFOLIO = Portfolio(
    "port-platformeng1", "Platform Engineering", "Building blocks that keep the house rules.", "Platform Engineering"
)
PORTFOLIOS = (PORTFOLIO, PLATFORM_PORTFOLIO)

_LAUNCH = ("LAUNCH", f"Launch as {LAUNCH_ROLE}")
_NOTIFICATION = (
    "NOTIFICATION",
    f"Notify arn:aws:sns:{HOME_REGION}:{MANAGEMENT_ACCOUNT}:{APPROVAL_TOPIC_NAME}",
)
_RESOURCE_UPDATE = ("RESOURCE_UPDATE", "Tags may be changed on a provisioned product")
_COST_CENTRES = MappingProxyType({"cost-centre": ("cc-1001", "cc-1002", "cc-2001"), "managed-by": ("service-catalog",)})
_STACK_OUTPUT = ("CloudformationStackARN", "The ARN of the launched CloudFormation stack")

PRODUCTS = (
    Product(
        id=ACCOUNT_FACTORY_PRODUCT,
        view_id="prodview-ctacctfact",
        name=ACCOUNT_FACTORY_NAME,
        owner="AWS Control Tower",
        description="Provisions an account and enrolls it in the landing zone.",
        kind="CONTROL_TOWER_ACCOUNT",
        path_id=ACCOUNT_FACTORY_PATH,
        created_at=FOUNDED,
        artifacts=(
            Artifact("pa-ctafretired01", "1.0", "First version", _on(2024, 3, 4), False, "DEPRECATED"),
            Artifact("pa-ctafretired02", "2.0", "Second version", _on(2024, 9, 2), False),
            Artifact("pa-ctafdeprec003", "3.0", "Third version", _on(2025, 2, 10), True, "DEPRECATED"),
            Artifact(ACCOUNT_FACTORY_ARTIFACT, "4.0", "Current version", _on(2025, 7, 14), True),
        ),
        parameters=(
            Parameter("SSOUserEmail", "E-mail of the IAM Identity Center user", 6, 64, _EMAIL),
            Parameter("SSOUserFirstName", "First name of the IAM Identity Center user", 1, 50),
            Parameter("SSOUserLastName", "Last name of the IAM Identity Center user", 1, 50),
            Parameter("AccountEmail", "E-mail of the account, never used before", 6, 64, _EMAIL),
            Parameter("AccountName", "Name of the account", 1, 50),
            Parameter("ManagedOrganizationalUnit", "A registered OU: Name, or Name (ou-id) if nested", 1, 256),
        ),
        portfolio=PORTFOLIO,
    ),
    Product(
        id=BUCKET_PRODUCT,
        view_id="prodview-encryptbkt",
        name="Encrypted S3 bucket",
        owner="Platform Engineering",
        description="An S3 bucket, encrypted with a key of its own, that blocks public access.",
        kind="CFN_STACK",
        path_id="lpv3-encryptedbkt01",
        created_at=_on(2024, 6, 3),
        artifacts=(
            Artifact("pa-encryptbuck01", "1.0", "First version", _on(2024, 6, 3), True, "DEPRECATED"),
            Artifact("pa-encryptbuck02", "2.0", "With life cycle rules", _on(2025, 3, 3), True),
        ),
        parameters=(
            Parameter(
                "BucketName",
                "Name of the bucket; no other in the world may have it",
                3,
                63,
                r"[a-z0-9][a-z0-9.-]*[a-z0-9]",
                constraint="lower-case letters, digits, dots and hyphens, beginning and ending with a letter or digit",
            ),
            Parameter("DataClass", "How sensitive the data is", allowed=("internal", "confidential", "public")),
            Parameter("Versioning", "Keep old versions", default="Enabled", allowed=("Enabled", "Suspended")),
            Parameter(
                "ExpireAfterDays",
                "Days until old versions are deleted",
                type="Number",
                default="365",
                min_value=1,
                max_value=3_650,
            ),
            Parameter(
                "ReaderAccounts",
                "Accounts that may read, separated by commas",
                type="CommaDelimitedList",
                default="",
                pattern=r"\d{12}",
                constraint="must be account ids of twelve digits",
            ),
        ),
        portfolio=PLATFORM_PORTFOLIO,
        constraints=(_LAUNCH, _NOTIFICATION, _RESOURCE_UPDATE),
        tag_options=_COST_CENTRES,
        outputs=(("BucketName", "Name of the bucket"), ("BucketArn", "ARN of the bucket"), _STACK_OUTPUT),
    ),
    Product(
        id=DATABASE_PRODUCT,
        view_id="prodview-postgresql",
        name="PostgreSQL database",
        owner="Platform Engineering",
        description="A PostgreSQL database that is backed up and reached from inside the network only.",
        kind="CFN_STACK",
        path_id="lpv3-postgresqldb01",
        created_at=_on(2024, 8, 5),
        artifacts=(Artifact("pa-postgresdb017", "17.1", "PostgreSQL 17", _on(2025, 4, 7), True),),
        parameters=(
            Parameter(
                "DatabaseName",
                "Name of the database",
                1,
                63,
                r"[a-z][a-z0-9_]*",
                constraint="must begin with a letter and contain only lower-case letters, digits and underscores",
            ),
            Parameter(
                "InstanceClass",
                "Size of the instance",
                default="db.t4g.micro",
                allowed=("db.t4g.micro", "db.t4g.medium", "db.r7g.large"),
            ),
            Parameter("AllocatedStorage", "Storage in GiB", type="Number", default="20", min_value=20, max_value=1_000),
            Parameter("MultiAz", "A standby in a second zone", default="false", allowed=("true", "false")),
            Parameter("MasterPassword", "Password of the first user", 12, 64, r"[!-~]+", hidden=True),
        ),
        portfolio=PLATFORM_PORTFOLIO,
        constraints=(
            _LAUNCH,
            ("TEMPLATE", "A db.t4g.micro runs in one zone only."),
            _RESOURCE_UPDATE,
        ),
        rules=(
            Rule(
                "MicroRunsInOneZone",
                "InstanceClass",
                "db.t4g.micro",
                "MultiAz",
                ("false",),
                "A db.t4g.micro runs in one zone only.",
            ),
        ),
        tag_options=_COST_CENTRES,
        outputs=(("Endpoint", "Host name of the database"), ("Port", "Port of the database"), _STACK_OUTPUT),
    ),
    Product(
        id=NETWORK_PRODUCT,
        view_id="prodview-privatenet",
        name="VPC with private subnets",
        owner="Platform Engineering",
        description="A network without a way in from the internet.",
        kind="CFN_STACK",
        path_id="lpv3-privatesubnet1",
        created_at=_on(2024, 9, 9),
        artifacts=(Artifact("pa-privatenet001", "1.0", "First version", _on(2024, 9, 9), True),),
        parameters=(
            Parameter(
                "CidrBlock",
                "Addresses of the network",
                pattern=rf"10\.{_OCTET}\.{_OCTET}\.0/(?:16|20|24)",
                constraint="must be a block of 10.0.0.0/8 of size /16, /20 or /24",
            ),
            Parameter(
                "AvailabilityZones",
                "Zones that get a subnet each, separated by commas",
                type="CommaDelimitedList",
                default="a,b",
                allowed=("a", "b", "c"),
            ),
            Parameter("FlowLogs", "Keep flow logs", default="true", allowed=("true", "false")),
        ),
        portfolio=PLATFORM_PORTFOLIO,
        constraints=(_LAUNCH, _NOTIFICATION),
        outputs=(("VpcId", "Id of the network"), ("SubnetIds", "Ids of its private subnets"), _STACK_OUTPUT),
    ),
    Product(
        id=BASTION_PRODUCT,
        view_id="prodview-bastion001",
        name="Bastion host",
        owner="Platform Engineering",
        description="A way into a network; for those who run it.",
        kind="CFN_STACK",
        path_id="lpv3-bastionhost001",
        created_at=_on(2024, 9, 9),
        artifacts=(Artifact("pa-bastionhost01", "1.0", "First version", _on(2024, 9, 9), True),),
        parameters=(Parameter("VpcId", "Network to enter", pattern="vpc-[0-9a-f]{8,17}"),),
        portfolio=PLATFORM_PORTFOLIO,
        constraints=(_LAUNCH,),
        outputs=(("InstanceId", "Id of the host"), _STACK_OUTPUT),
        launchers=(BASTION_ROLE,),
    ),
    Product(
        id=RETIRED_PRODUCT,
        view_id="prodview-windowssrv",
        name="Windows server",
        owner="Platform Engineering",
        description="Withdrawn: every version has been retired.",
        kind="CFN_STACK",
        path_id="lpv3-windowsserver1",
        created_at=_on(2023, 5, 8),
        artifacts=(
            Artifact("pa-windowssrv001", "1.0", "First version", _on(2023, 5, 8), False, "DEPRECATED"),
            Artifact("pa-windowssrv002", "2.0", "Last version", _on(2023, 11, 6), False, "DEPRECATED"),
        ),
        parameters=(Parameter("InstanceType", "Size of the server", allowed=("m5.large", "m5.xlarge")),),
        portfolio=PLATFORM_PORTFOLIO,
        constraints=(_LAUNCH,),
        outputs=(_STACK_OUTPUT,),
    ),
)
PRODUCTS_BY_ID = {product.id: product for product in PRODUCTS}
