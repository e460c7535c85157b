"""The landing zone that every fresh sandbox starts with.

Deterministic ids, so that guides and tests can name them. Two OUs are called Prod and two Test (nested);
Legacy isn't registered with Control Tower.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.access import seed_assignments
from sandbox.identities import IDENTITY_STORE_ID, seed_groups, seed_users
from sandbox.model import (
    Account,
    LandingZone,
    NotificationChannel,
    OrganizationalUnit,
    ProvisionedProduct,
    Record,
    Topic,
)

HOME_REGION = "us-east-1"
GOVERNED_REGIONS = (HOME_REGION, "eu-central-1")
DELEGATED_ADMINISTRATOR = "333344445555"
"""The account Audit is DevOps Guru's delegated administrator."""
MANAGEMENT_ACCOUNT = "111122223333"
ORGANIZATION_ID = "o-corp4sandbx"
ROOT_ID = "r-c0rp"
ACCOUNT_QUOTA = 60.0
SSO_PORTAL = f"https://{IDENTITY_STORE_ID}.awsapps.com/start"
APPROVAL_TOPIC_NAME = "quartermaster-approvals"
INSIGHT_TOPIC_NAME = "quartermaster-insights"
RELEASE_NAME = "quartermaster-releases"
"""The topic, the queue and the rules that carry news of releases."""
FOUNDED = datetime(2024, 3, 4, 9, 0, tzinfo=UTC).timestamp()
LANDING_ZONE_ARN = f"arn:aws:controltower:{HOME_REGION}:{MANAGEMENT_ACCOUNT}:landingzone/1A2B3C4D5E6F7G8H"
LANDING_ZONE_VERSION = "3.3"

ACCOUNT_FACTORY_PRODUCT = "prod-ctacctfactory"
ACCOUNT_FACTORY_NAME = "AWS Control Tower Account Factory"
ACCOUNT_FACTORY_PATH = "lpv3-ctacctfactry01"
ACCOUNT_FACTORY_ARTIFACT = "pa-ctafcurrent004"


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


def account_arn(account_id: str) -> str:
    """An account's ARN in Organizations."""
    return f"arn:aws:organizations::{MANAGEMENT_ACCOUNT}:account/{ORGANIZATION_ID}/{account_id}"


def unit_arn(organizational_unit_id: str) -> str:
    """An OU's ARN in Organizations."""
    return f"arn:aws:organizations::{MANAGEMENT_ACCOUNT}:ou/{ORGANIZATION_ID}/{organizational_unit_id}"


def provisioned_product_arn(account_id: str, name: str, identifier: str) -> str:
    """A provisioned product's ARN in Service Catalog."""
    return f"arn:aws:servicecatalog:{HOME_REGION}:{account_id}:stack/{name}/{identifier}"


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
            enroll(zone, zone.accounts[identifier])
    arn = topic_arn(MANAGEMENT_ACCOUNT, HOME_REGION, APPROVAL_TOPIC_NAME)
    zone.topics[arn] = Topic(arn, APPROVAL_TOPIC_NAME)
    furnish(zone)
    return zone


def furnish(zone: LandingZone) -> None:
    """Give a landing zone what every fresh one has, when it was kept before there was that."""
    for region in GOVERNED_REGIONS:
        arn = topic_arn(DELEGATED_ADMINISTRATOR, region, INSIGHT_TOPIC_NAME)
        if arn not in zone.topics:
            zone.topics[arn] = Topic(arn, INSIGHT_TOPIC_NAME, {"SignatureVersion": "2"})
            name = f"00000000-0000-4000-8000-{len(zone.notification_channels):012d}"
            zone.notification_channels[name] = NotificationChannel(name, DELEGATED_ADMINISTRATOR, region, arn)
    arn = topic_arn(MANAGEMENT_ACCOUNT, HOME_REGION, RELEASE_NAME)
    zone.topics.setdefault(arn, Topic(arn, RELEASE_NAME, {"SignatureVersion": "2"}))
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


def enroll(zone: LandingZone, account: Account) -> None:
    """Add what Account Factory would have left behind had it made the account in its OU."""
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
