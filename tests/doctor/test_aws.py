"""AWS as the doctor sees it: each permission, role and part is missing once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.aws import doctor as clock
from adapters.email import doctor as email
from adapters.lex import doctor as lex
from bot.doctor import Patient, aws
from bot.errors import CloudError
from bot.main import build_cloud
from sandbox.delivery.seed import TABLE
from tests.doctor.conftest import Altered, SettingsMade, find

NAMES = (
    "AWS identity",
    "management role",
    "member role",
    "organization",
    "Control Tower",
    "product and launch path",
    "Identity Center",
    "service quotas",
    "roll-outs",
)
ROLE = "arn:aws:iam::111122223333:role/Nobody"


async def deny(control: httpx.AsyncClient, *operations: str) -> None:
    answer = await control.post(
        "/_sandbox/faults", json={"name": "access_denied", "on": True, "operations": operations}
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("name", NAMES)
async def test_all_is_well_in_the_sandbox(patient: Patient, name: str) -> None:
    finding = await find(aws.checks(patient), name)
    assert finding.state == "ok", finding
    assert not finding.fix


@pytest.mark.parametrize(
    ("name", "operation", "action"),
    [
        ("organization", "ListAccounts", "organizations:ListAccounts"),
        ("organization", "ListRoots", "organizations:ListRoots"),
        ("Control Tower", "ListLandingZones", "controltower:ListLandingZones"),
        ("Control Tower", "ListEnabledBaselines", "controltower:ListEnabledBaselines"),
        ("product and launch path", "SearchProducts", "servicecatalog:SearchProducts"),
        ("product and launch path", "ListLaunchPaths", "servicecatalog:ListLaunchPaths"),
        ("Identity Center", "ListInstances", "sso-admin:ListInstances"),
        ("service quotas", "GetServiceQuota", "service-quotas:GetServiceQuota"),
        ("roll-outs", "ListPipelines", "codepipeline:ListPipelines"),
    ],
)
async def test_a_missing_permission_is_named_with_its_statement(
    patient: Patient, control: httpx.AsyncClient, name: str, operation: str, action: str
) -> None:
    await deny(control, operation)
    finding = await find(aws.checks(patient), name)
    assert finding.state == "failed"
    assert f"may not call {action}" in finding.text
    assert f'"Action": "{action}"' in finding.fix


async def test_a_management_role_that_can_not_be_assumed_comes_with_both_statements(
    make_settings: SettingsMade, control: httpx.AsyncClient
) -> None:
    settings = make_settings(management_role_arn=ROLE)
    await deny(control, "AssumeRole")
    finding = await find(aws.checks(Patient(settings, build_cloud(settings))), "management role")
    assert finding.state == "failed"
    assert f"{ROLE} can't be assumed" in finding.text
    assert f'"Resource": "{ROLE}"' in finding.fix
    assert '"Principal": {"AWS": "arn:aws:iam::' in finding.fix
    assert '["sts:AssumeRole", "sts:TagSession"]' in finding.fix


async def test_a_management_role_that_can_be_assumed_is_told(make_settings: SettingsMade, control: Any) -> None:
    settings = make_settings(management_role_arn=ROLE)
    finding = await find(aws.checks(Patient(settings, build_cloud(settings))), "management role")
    assert finding.state == "ok", finding


async def test_a_member_role_that_can_not_be_assumed_names_its_setting(
    make_settings: SettingsMade, control: httpx.AsyncClient
) -> None:
    settings = make_settings(member_role_name="Inside")
    await deny(control, "AssumeRole")
    finding = await find(aws.checks(Patient(settings, build_cloud(settings))), "member role")
    assert finding.state == "failed"
    assert ":role/Inside can't be assumed" in finding.text
    assert "MEMBER_ROLE_NAME" in finding.fix
    assert '"Resource": "arn:aws:iam::*:role/Inside"' in finding.fix


@pytest.mark.parametrize(
    ("code", "text", "fix"),
    [
        ("NoCredentialsError", "there are no AWS credentials", "AWS_PROFILE"),
        ("EndpointConnectionError", "AWS can't be reached", "AWS_ENDPOINT_URL"),
        ("ExpiredToken", "AWS answered GetCallerIdentity with ExpiredToken", "docs/aws.md"),
    ],
)
async def test_an_identity_that_does_not_work_says_why(patient: Patient, code: str, text: str, fix: str) -> None:
    error = CloudError(code, "it says so", operation="GetCallerIdentity")
    broken = replace(patient, cloud=Altered(patient.cloud, {"GetCallerIdentity": error}))
    finding = await find(aws.checks(broken), "AWS identity")
    assert finding.state == "failed"
    assert text in finding.text
    assert fix in finding.fix


async def test_a_product_of_another_name_is_not_shared(
    patient: Patient, make_settings: SettingsMade, tmp_path: Path
) -> None:
    house = tmp_path / "house.yml"
    house.write_text("account_types: [{name: Sandbox}]\nproduct_name: Nowhere\n", encoding="utf-8")
    finding = await find(
        aws.checks(replace(patient, settings=make_settings(house_file=house))), "product and launch path"
    )
    assert finding.state == "failed"
    assert "the product “Nowhere” is not shared" in finding.text
    assert "access to the portfolio" in finding.fix


@pytest.mark.parametrize(
    ("answers", "text", "fix"),
    [
        ({"ListLaunchPaths": {"LaunchPathSummaries": []}}, "has no launch path", "access to the portfolio"),
        ({"DescribeProduct": {"ProvisioningArtifacts": []}}, "no version that is active", "Activate one"),
    ],
)
async def test_a_product_that_can_not_be_launched_says_what_it_lacks(
    patient: Patient, answers: dict[str, Any], text: str, fix: str
) -> None:
    broken = replace(patient, cloud=Altered(patient.cloud, answers))
    finding = await find(aws.checks(broken), "product and launch path")
    assert (finding.state, text in finding.text, fix in finding.fix) == ("failed", True, True), finding


@pytest.mark.parametrize(
    ("name", "text", "fix"),
    [
        ("Control Tower", "there is no landing zone in eu-west-3", "CONTROL_TOWER_REGION"),
        ("Identity Center", "no instance of IAM Identity Center in eu-west-3", "Enable IAM Identity Center"),
    ],
)
async def test_another_home_region_has_neither_landing_zone_nor_identity_center(
    patient: Patient, make_settings: SettingsMade, name: str, text: str, fix: str
) -> None:
    settings = make_settings(control_tower_region="eu-west-3")
    finding = await find(aws.checks(replace(patient, settings=settings)), name)
    assert (finding.state, text in finding.text, fix in finding.fix) == ("failed", True, True), finding


async def test_a_landing_zone_that_has_drifted_is_a_warning(patient: Patient) -> None:
    zone = {"landingZone": {"version": "3.3", "status": "ACTIVE", "driftStatus": {"status": "DRIFTED"}}}
    broken = replace(patient, cloud=Altered(patient.cloud, {"GetLandingZone": zone}))
    finding = await find(aws.checks(broken), "Control Tower")
    assert finding.state == "warning"
    assert "DRIFTED" in finding.text


async def test_an_organization_of_one_account_leaves_the_member_role_untried(patient: Patient) -> None:
    broken = replace(patient, cloud=Altered(patient.cloud, {"ListAccounts": {"Accounts": []}}))
    assert (await find(aws.checks(broken), "member role")).state == "warning"


async def test_business_time_is_the_sandboxes(patient: Patient) -> None:
    finding = await find(clock.checks(patient), "clock")
    assert finding.state == "ok"
    assert "the sandbox's" in finding.text


async def test_a_clock_that_can_not_be_compared_has_failed(make_settings: SettingsMade, patient: Patient) -> None:
    settings = make_settings(aws_endpoint_url="http://127.0.0.1:1")
    finding = await find(clock.checks(replace(patient, settings=settings)), "clock")
    assert finding.state == "failed"
    assert "does not answer" in finding.text


@pytest.mark.parametrize(
    ("seconds", "state"),
    [(0, "ok"), (-4, "ok"), (31, "warning"), (-299, "warning"), (300, "failed"), (-4000, "failed")],
)
def test_a_skew_is_judged_by_what_aws_refuses(seconds: float, state: str) -> None:
    finding = clock.judge(timedelta(seconds=seconds))
    assert finding.state == state
    if state != "ok":
        assert ("ahead of" in finding.text) == (seconds > 0)
        assert finding.fix == "timedatectl set-ntp true"


async def test_ses_tells_its_quota_and_who_may_ask_for_it(
    patient: Patient, make_settings: SettingsMade, control: httpx.AsyncClient
) -> None:
    ses = replace(patient, settings=make_settings(mail_transport="ses"))
    finding = await find(email.checks(ses), "mail")
    assert finding.state == "ok"
    assert "of 50000 sent in 24 hours" in finding.text
    off = replace(ses, cloud=Altered(ses.cloud, {"GetAccount": {"SendingEnabled": False}}))
    assert (await find(email.checks(off), "mail")).state == "failed"
    limited = replace(ses, cloud=Altered(ses.cloud, {"GetAccount": {"ProductionAccessEnabled": False}}))
    assert (await find(email.checks(limited), "mail")).state == "warning"
    await deny(control, "GetAccount")
    assert '"Action": "sesv2:GetAccount"' in (await find(email.checks(ses), "mail")).fix


async def test_a_topic_that_does_not_exist_has_failed(patient: Patient, make_settings: SettingsMade) -> None:
    assert (await find(email.checks(patient), "notices of approvals")).text.startswith("off")
    gone = make_settings(sns_approval_topic_arn="arn:aws:sns:us-east-1:111122223333:gone")
    finding = await find(email.checks(replace(patient, settings=gone)), "notices of approvals")
    assert finding.state == "failed"
    assert "there is no topic" in finding.text


async def test_a_bot_that_lex_does_not_have_has_failed(patient: Patient, make_settings: SettingsMade) -> None:
    assert "embedded engine" in (await find(lex.checks(patient), "understanding")).text
    settings = make_settings(lex_bot_id="ABCDEFGHIJ", lex_bot_alias_id="KLMNOPQRST")
    finding = await find(lex.checks(replace(patient, settings=settings)), "understanding")
    assert finding.state == "failed"
    assert "LEX_BOT_ID" in finding.fix


async def test_the_table_of_deployments_is_looked_at_where_one_is_named(
    patient: Patient, make_settings: SettingsMade
) -> None:
    named = replace(patient, settings=make_settings(deployment_table=TABLE))
    found = await find(aws.checks(named), "roll-outs")
    assert (found.state, found.text.endswith(f"the table {TABLE} is master of the deployments")) == ("ok", True)
    absent = replace(patient, settings=make_settings(deployment_table="no-such-table"))
    found = await find(aws.checks(absent), "roll-outs")
    assert (found.state, found.fix) == ("failed", "Mend DEPLOYMENT_TABLE.")
    keyed = {"DescribeTable": {"Table": {"KeySchema": [{"AttributeName": "tenant", "KeyType": "HASH"}]}}}
    other = replace(named, cloud=Altered(patient.cloud, keyed))
    assert "keyed by tenant, not by id" in (await find(aws.checks(other), "roll-outs")).text
    nothing = replace(patient, settings=patient.settings.model_copy(update={"deployment_ous": ()}))
    assert "nothing is rolled out" in (await find(aws.checks(nothing), "roll-outs")).text
