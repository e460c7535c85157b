"""The landing zone that every fresh sandbox starts with.

Deterministic ids, so that guides and tests can name them. Two OUs are called Prod and two Test (nested);
Legacy isn't registered with Control Tower.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sandbox.access import seed_assignments
from sandbox.identities import IDENTITY_STORE_ID, seed_groups, seed_users
from sandbox.model import Account, LandingZone, OrganizationalUnit, ProvisionedProduct, Record, Topic

HOME_REGION = "us-east-1"
MANAGEMENT_ACCOUNT = "111122223333"
ORGANIZATION_ID = "o-corp4sandbx"
ROOT_ID = "r-c0rp"
ACCOUNT_QUOTA = 60.0
SSO_PORTAL = f"https://{IDENTITY_STORE_ID}.awsapps.com/start"
APPROVAL_TOPIC_NAME = "quartermaster-approvals"
FOUNDED = datetime(2024, 3, 4, 9, 0, tzinfo=UTC).timestamp()
LANDING_ZONE_ARN = f"arn:aws:controltower:{HOME_REGION}:{MANAGEMENT_ACCOUNT}:landingzone/1A2B3C4D5E6F7G8H"
LANDING_ZONE_VERSION = "3.3"

ACCOUNT_FACTORY_PRODUCT = "prod-ctacctfactory"
ACCOUNT_FACTORY_NAME = "AWS Control Tower Account Factory"
ACCOUNT_FACTORY_PATH = "lpv3-ctacctfactry01"
ACCOUNT_FACTORY_ARTIFACT = "pa-ctafcurrent004"
BUCKET_PRODUCT = "prod-privatebucket"


def unit_id(suffix: str) -> str:
    """An OU's id from its last eight characters."""
    return f"ou-{ROOT_ID[2:]}-{suffix}"


# id, name, parent, registered
UNITS = (
    (unit_id("5ecur1ty"), "Security", ROOT_ID, True),
    (unit_id("exper1mt"), "Experiment", ROOT_ID, True),
    (unit_id("dem0dem0"), "Demos", ROOT_ID, True),
    (unit_id("sandb0x1"), "Sandbox", ROOT_ID, True),
    (unit_id("w0rkload"), "Workloads", ROOT_ID, True),
    (unit_id("w1prod00"), "Prod", unit_id("w0rkload"), True),
    (unit_id("w1test00"), "Test", unit_id("w0rkload"), True),
    (unit_id("platf0rm"), "Platform", ROOT_ID, True),
    (unit_id("p1prod00"), "Prod", unit_id("platf0rm"), True),
    (unit_id("p1test00"), "Test", unit_id("platf0rm"), True),
    (unit_id("1egacy00"), "Legacy", ROOT_ID, False),
)

# id, name, e-mail, parent
ACCOUNTS = (
    (MANAGEMENT_ACCOUNT, "Management", "aws-management@corp.example", ROOT_ID),
    ("222233334444", "Log Archive", "aws-log-archive@corp.example", unit_id("5ecur1ty")),
    ("333344445555", "Audit", "aws-audit@corp.example", unit_id("5ecur1ty")),
    ("444455556666", "Experiment One", "experiment-one@corp.example", unit_id("exper1mt")),
    ("444466667777", "Demo Booth", "demo-booth@corp.example", unit_id("dem0dem0")),
    ("555566667777", "Playground", "playground@corp.example", unit_id("sandb0x1")),
    ("666677778888", "Webshop Prod", "webshop-prod@corp.example", unit_id("w1prod00")),
    ("666688889999", "Webshop Test", "webshop-test@corp.example", unit_id("w1test00")),
    ("777788889999", "Network Hub", "network-hub@corp.example", unit_id("p1prod00")),
    ("777799990000", "Network Lab", "network-lab@corp.example", unit_id("p1test00")),
    ("888899990000", "Old Intranet", "old-intranet@corp.example", unit_id("1egacy00")),
)


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
    """A provisioning parameter and what it accepts."""

    key: str
    description: str
    min_length: int = 1
    max_length: int = 4096
    pattern: str | None = None


@dataclass(frozen=True)
class Product:
    """A product of the portfolio."""

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


@dataclass(frozen=True)
class Portfolio:
    """The portfolio that Control Tower shares with those who may order accounts."""

    id: str
    name: str
    description: str
    provider: str


def _on(year: int, month: int, day: int) -> float:
    return datetime(year, month, day, 12, 0, tzinfo=UTC).timestamp()


_EMAIL = r"[^\s@]+@[^\s@]+\.[^\s@]+"

PORTFOLIO = Portfolio(
    "port-ctacctfactry", "AWS Control Tower Account Factory Portfolio", "Vends accounts.", "AWS Control Tower"
)

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
    ),
    Product(
        id=BUCKET_PRODUCT,
        view_id="prodview-privatebkt",
        name="Private Bucket",
        owner="Platform Engineering",
        description="An S3 bucket that blocks public access.",
        kind="CFN_STACK",
        path_id="lpv3-privatebucket1",
        created_at=_on(2024, 6, 3),
        artifacts=(Artifact("pa-privatebuck01", "1.0", "First version", _on(2024, 6, 3), True),),
        parameters=(Parameter("BucketName", "Name of the bucket", 3, 63, r"[a-z0-9][a-z0-9.-]+"),),
    ),
)


def account_arn(account_id: str) -> str:
    """An account's ARN in Organizations."""
    return f"arn:aws:organizations::{MANAGEMENT_ACCOUNT}:account/{ORGANIZATION_ID}/{account_id}"


def unit_arn(organizational_unit_id: str) -> str:
    """An OU's ARN in Organizations."""
    return f"arn:aws:organizations::{MANAGEMENT_ACCOUNT}:ou/{ORGANIZATION_ID}/{organizational_unit_id}"


def topic_arn(account_id: str, region: str, name: str) -> str:
    """An SNS topic's ARN."""
    return f"arn:aws:sns:{region}:{account_id}:{name}"


def seed() -> LandingZone:
    """A fresh landing zone; each call makes an independent one."""
    zone = LandingZone(quotas={"organizations/L-E619E033": ACCOUNT_QUOTA})
    for identifier, name, parent, registered in UNITS:
        zone.units[identifier] = OrganizationalUnit(identifier, name, parent, registered)
    for number, (identifier, name, email, parent) in enumerate(ACCOUNTS):
        joined_at = FOUNDED + number * 86_400.0
        zone.accounts[identifier] = Account(identifier, name, email, parent, joined_at)
        if parent != ROOT_ID and zone.units[parent].registered and zone.units[parent].name != "Security":
            _enroll(zone, zone.accounts[identifier])
    arn = topic_arn(MANAGEMENT_ACCOUNT, HOME_REGION, APPROVAL_TOPIC_NAME)
    zone.topics[arn] = Topic(arn, APPROVAL_TOPIC_NAME)
    furnish(zone)
    return zone


def furnish(zone: LandingZone) -> None:
    """Give a landing zone the directory that every fresh one has, when it was kept before there was one."""
    if zone.users:
        return
    zone.users, zone.groups = seed_users(FOUNDED), seed_groups(FOUNDED)
    zone.assignments = seed_assignments(zone.accounts, zone.groups.values())


def outputs_of(account: Account, parameters: dict[str, str]) -> dict[str, str]:
    """What Account Factory puts out about an account it has made."""
    return {
        "AccountId": account.id,
        "AccountEmail": account.email,
        "SSOUserEmail": parameters["SSOUserEmail"],
        "SSOUserPortal": SSO_PORTAL,
    }


def _enroll(zone: LandingZone, account: Account) -> None:
    unit = zone.units[account.parent_id]
    nested = unit.parent_id != ROOT_ID
    slug = account.name.lower().replace(" ", "-")
    record_id, product_id = f"rec-seed{account.id[:9]}", f"pp-seed{account.id[:9]}"
    parameters = {
        "SSOUserEmail": account.email,
        "SSOUserFirstName": account.name.split()[0],
        "SSOUserLastName": account.name.split()[-1],
        "AccountEmail": account.email,
        "AccountName": account.name,
        "ManagedOrganizationalUnit": f"{unit.name} ({unit.id})" if nested else unit.name,
    }
    zone.records[record_id] = Record(
        id=record_id,
        type="PROVISION_PRODUCT",
        provisioned_product_id=product_id,
        provisioned_product_name=slug,
        product_id=ACCOUNT_FACTORY_PRODUCT,
        artifact_id=ACCOUNT_FACTORY_ARTIFACT,
        path_id=ACCOUNT_FACTORY_PATH,
        created_at=account.joined_at,
        updated_at=account.joined_at + 1_200,
        parameters=parameters,
        status="SUCCEEDED",
        outputs=outputs_of(account, parameters),
    )
    zone.provisioned_products[product_id] = ProvisionedProduct(
        id=product_id,
        name=slug,
        product_id=ACCOUNT_FACTORY_PRODUCT,
        artifact_id=ACCOUNT_FACTORY_ARTIFACT,
        path_id=ACCOUNT_FACTORY_PATH,
        token=f"seed-{account.id}",
        created_at=account.joined_at,
        ordered_by=f"arn:aws:iam::{MANAGEMENT_ACCOUNT}:role/Administrator",
        parameters=parameters,
        status="AVAILABLE",
        account_id=account.id,
        last_record_id=record_id,
        last_provisioning_record_id=record_id,
        last_successful_record_id=record_id,
    )
