"""What Control Tower has set up: baselines and controls, the organization's trail, the recorders."""

from typing import Any

import pytest

from sandbox.governance import RECORDER_NAME, TRAIL_ARN, TRAIL_NAME
from sandbox.landing_zone import MANAGEMENT_ACCOUNT, account_arn, unit_arn, unit_id
from tests.sandbox.landing import Aws
from tests.sandbox.members import client_in, refusal_of, vend

PLAYGROUND, OLD_INTRANET = "555566667777", "888899990000"
DEMOS, LEGACY = unit_arn(unit_id("dem0dem0")), unit_arn(unit_id("1egacy00"))


def baselines(aws: Aws, **asked: Any) -> list[Any]:
    pages = (
        aws.client("controltower")
        .get_paginator("list_enabled_baselines")
        .paginate(**asked, PaginationConfig={"PageSize": 5})
    )
    return [entry for page in pages for entry in page["enabledBaselines"]]


def baseline_of(aws: Aws, account_id: str) -> Any:
    found = baselines(aws, includeChildren=True, filter={"targetIdentifiers": [account_arn(account_id)]})
    return found[0] if found else None


def test_a_new_account_has_its_units_baseline(aws: Aws) -> None:
    account_id = vend(aws)
    entry = baseline_of(aws, account_id)
    (of_unit,) = baselines(aws, filter={"targetIdentifiers": [DEMOS]})

    assert entry["statusSummary"]["status"] == "SUCCEEDED"
    assert entry["parentIdentifier"] == of_unit["arn"]
    assert entry["baselineIdentifier"] == of_unit["baselineIdentifier"]
    assert entry["driftStatusSummary"]["types"]["inheritance"]["status"] == "IN_SYNC"
    tower = aws.client("controltower")
    details = tower.get_enabled_baseline(enabledBaselineIdentifier=entry["arn"])["enabledBaselineDetails"]
    assert details["targetIdentifier"] == account_arn(account_id)
    children = baselines(aws, includeChildren=True, filter={"parentIdentifiers": [of_unit["arn"]]})
    assert entry["arn"] in [child["arn"] for child in children]


def test_accounts_are_listed_only_when_children_are_asked_for(aws: Aws) -> None:
    units = baselines(aws)
    with_accounts = baselines(aws, includeChildren=True)

    assert len(units) == 10
    assert all(":ou/" in entry["targetIdentifier"] for entry in units)
    assert len(with_accounts) == 10 + 7
    assert baselines(aws, filter={"targetIdentifiers": [account_arn(PLAYGROUND)]}) == []
    assert baseline_of(aws, OLD_INTRANET) is None
    audit = next(
        entry["arn"]
        for entry in aws.client("controltower").list_baselines()["baselines"]
        if entry["name"] == "AuditBaseline"
    )
    assert baselines(aws, filter={"baselineIdentifiers": [audit]}) == []


def test_a_baseline_changes_while_the_account_is_being_made(aws: Aws) -> None:
    aws.order()
    aws.advance(15)
    account_id = aws.account_called("team-x")["Id"]

    assert baseline_of(aws, account_id)["statusSummary"]["status"] == "UNDER_CHANGE"


def test_a_failed_baseline_is_mended_by_an_update(aws: Aws) -> None:
    aws.post("faults", name="baseline_failed", on=True, times=1)
    account_id = vend(aws)
    assert baseline_of(aws, account_id)["statusSummary"]["status"] == "FAILED"
    assert aws.product("team-x")["Status"] == "AVAILABLE"
    failed = baselines(aws, includeChildren=True, filter={"statuses": ["FAILED"]})
    assert [entry["targetIdentifier"] for entry in failed] == [account_arn(account_id)]

    aws.client("servicecatalog").update_provisioned_product(ProvisionedProductName="team-x", UpdateToken="mend")
    aws.advance(30)
    assert baseline_of(aws, account_id)["statusSummary"]["status"] == "SUCCEEDED"


def test_a_moved_account_has_drifted(aws: Aws) -> None:
    aws.client("organizations").move_account(
        AccountId=PLAYGROUND, SourceParentId=unit_id("sandb0x1"), DestinationParentId=unit_id("1egacy00")
    )
    drifted = baselines(aws, includeChildren=True, filter={"inheritanceDriftStatuses": ["DRIFTED"]})

    assert [entry["targetIdentifier"] for entry in drifted] == [account_arn(PLAYGROUND)]
    assert "parentIdentifier" not in drifted[0]


def test_an_account_let_go_has_no_baseline(aws: Aws) -> None:
    aws.client("servicecatalog").terminate_provisioned_product(
        ProvisionedProductName="playground", TerminateToken="end"
    )
    aws.advance(10)
    assert baseline_of(aws, PLAYGROUND) is None


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        (
            "get_enabled_baseline",
            {"enabledBaselineIdentifier": f"arn:aws:controltower:us-east-1:{MANAGEMENT_ACCOUNT}:enabledbaseline/XA0"},
            "ResourceNotFoundException",
        ),
        ("get_enabled_baseline", {"enabledBaselineIdentifier": "nonsense, and long enough"}, "ValidationException"),
        ("list_enabled_controls", {"targetIdentifier": LEGACY}, "ResourceNotFoundException"),
        ("list_enabled_baselines", {"filter": {"statuses": ["FINE"]}}, "ValidationException"),
        ("list_enabled_baselines", {"nextToken": "AAAA"}, "ValidationException"),
    ],
)
def test_control_tower_answers_errors_as_aws_does(
    aws: Aws, operation: str, parameters: dict[str, Any], code: str
) -> None:
    assert refusal_of(getattr(aws.client("controltower"), operation), **parameters) == code


def test_each_governed_unit_has_controls_that_its_accounts_inherit(aws: Aws) -> None:
    tower = aws.client("controltower")
    pages = tower.get_paginator("list_enabled_controls").paginate(
        targetIdentifier=DEMOS, includeChildren=True, PaginationConfig={"PageSize": 3}
    )
    controls = [entry for page in pages for entry in page["enabledControls"]]
    own = [entry for entry in controls if entry["targetIdentifier"] == DEMOS]
    inherited = [entry for entry in controls if entry["targetIdentifier"] != DEMOS]

    assert len(own) == len({entry["controlIdentifier"] for entry in own}) >= 4
    assert {entry["targetIdentifier"] for entry in inherited} == {account_arn("444466667777")}
    assert {entry["parentIdentifier"] for entry in inherited} == {entry["arn"] for entry in own}
    assert len(tower.list_enabled_controls(targetIdentifier=DEMOS)["enabledControls"]) == len(own)
    one = {"controlIdentifiers": [own[0]["controlIdentifier"]]}
    assert len(tower.list_enabled_controls(targetIdentifier=DEMOS, filter=one)["enabledControls"]) == 1
    assert client_in(aws, PLAYGROUND, "controltower").list_enabled_controls()["enabledControls"] == []


def test_a_member_sees_the_organizations_trail_and_that_it_is_logging(aws: Aws) -> None:
    inside = client_in(aws, vend(aws), "cloudtrail", "eu-central-1")
    (trail,) = inside.describe_trails()["trailList"]

    assert (trail["TrailARN"], trail["IsOrganizationTrail"], trail["IsMultiRegionTrail"]) == (TRAIL_ARN, True, True)
    assert inside.get_trail_status(Name=TRAIL_ARN)["IsLogging"] is True
    assert inside.describe_trails(includeShadowTrails=False)["trailList"] == []
    assert inside.describe_trails(trailNameList=["another-trail"])["trailList"] == []
    assert refusal_of(inside.get_trail_status, Name=TRAIL_NAME) == "TrailNotFoundException"
    assert refusal_of(inside.get_trail_status, Name="arn:aws:nonsense") == "CloudTrailARNInvalidException"
    assert refusal_of(inside.get_trail_status, Name="x") == "InvalidTrailNameException"
    assert aws.client("cloudtrail").get_trail_status(Name=TRAIL_NAME)["IsLogging"] is True


def test_the_trail_is_missing_once_by_fault(aws: Aws) -> None:
    inside = client_in(aws, PLAYGROUND, "cloudtrail")
    aws.post("faults", name="trail_missing", on=True, times=2)

    assert inside.describe_trails()["trailList"] == []
    assert refusal_of(inside.get_trail_status, Name=TRAIL_ARN) == "TrailNotFoundException"
    assert len(inside.describe_trails()["trailList"]) == 1


@pytest.mark.parametrize(
    ("account_id", "region", "is_there"),
    [
        (PLAYGROUND, "us-east-1", True),
        (PLAYGROUND, "eu-central-1", True),
        (PLAYGROUND, "ap-south-1", False),
        ("333344445555", "us-east-1", True),
        (OLD_INTRANET, "us-east-1", False),
    ],
)
def test_config_records_in_governed_accounts_and_regions(
    aws: Aws, account_id: str, region: str, is_there: bool
) -> None:
    inside = client_in(aws, account_id, "config", region)
    recorders = inside.describe_configuration_recorders()["ConfigurationRecorders"]
    states = inside.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]

    assert [entry["name"] for entry in recorders] == [RECORDER_NAME] * is_there
    assert [entry["recording"] for entry in states] == [True] * is_there


def test_a_new_account_records_from_when_it_is_ready(aws: Aws) -> None:
    aws.order()
    aws.advance(15)
    account_id = aws.account_called("team-x")["Id"]
    inside = client_in(aws, account_id, "config")
    assert inside.describe_configuration_recorders()["ConfigurationRecorders"] == []
    aws.advance(15)

    (recorder,) = inside.describe_configuration_recorders()["ConfigurationRecorders"]
    by_arn = inside.describe_configuration_recorder_status(Arn=recorder["arn"])["ConfigurationRecordersStatus"]
    assert [entry["lastStatus"] for entry in by_arn] == ["Success"]
    named = {"ConfigurationRecorderNames": ["default"]}
    for call in (inside.describe_configuration_recorders, inside.describe_configuration_recorder_status):
        assert refusal_of(call, **named) == "NoSuchConfigurationRecorderException"
        both = {"Arn": recorder["arn"], "ConfigurationRecorderNames": [RECORDER_NAME]}
        assert refusal_of(call, **both) == "ValidationException"


def test_a_recorder_has_stopped_once_by_fault(aws: Aws) -> None:
    inside = client_in(aws, PLAYGROUND, "config")
    aws.post("faults", name="recorder_stopped", on=True, times=1)
    told = [
        inside.describe_configuration_recorder_status()["ConfigurationRecordersStatus"][0]["recording"]
        for _ in range(2)
    ]

    assert told == [False, True]
    assert len(inside.describe_configuration_recorders()["ConfigurationRecorders"]) == 1
