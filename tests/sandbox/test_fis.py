"""Fault Injection Service: what targets come to, how experiments go on and end, and what they are refused for."""

from typing import Any

import pytest

from sandbox.chaos_seed import alarm_arn, template_id
from tests.sandbox.landing import Aws
from tests.sandbox.members import client_in, refusal_of

TEST, PROD = "666688889999", "666677778888"


def begin(fis: Any, name: str, token: str = "t1", **more: Any) -> str:
    started = fis.start_experiment(experimentTemplateId=template_id(name), clientToken=token, **more)
    return str(started["experiment"]["id"])


def state_of(fis: Any, experiment: str) -> tuple[str, dict[str, str]]:
    found = fis.get_experiment(id=experiment)["experiment"]
    return found["state"]["status"], {name: a["state"]["status"] for name, a in found["actions"].items()}


def targets_of(fis: Any, experiment: str) -> list[str]:
    found = fis.list_experiment_resolved_targets(experimentId=experiment)["resolvedTargets"]
    return [target["targetInformation"]["arn"] for target in found]


def test_actions_run_in_their_order_and_trouble_what_they_hit(aws: Aws) -> None:
    fis, ec2 = client_in(aws, TEST, "fis"), client_in(aws, TEST, "ec2")
    experiment = begin(fis, "instance-loss-checkout-staging")
    assert state_of(fis, experiment)[0] == "pending"
    aws.advance(10 / 60)
    assert state_of(fis, experiment) == ("running", {"StopInstances": "running", "Rest": "pending"})
    hit = {arn.rpartition("/")[2] for arn in targets_of(fis, experiment)}
    stopped = [{"Name": "instance-state-name", "Values": ["stopped"]}]
    down = ec2.describe_instances(Filters=stopped)["Reservations"]
    assert {r["Instances"][0]["InstanceId"] for r in down} == hit
    assert len(hit) == 2
    aws.advance(5)
    assert state_of(fis, experiment) == ("running", {"StopInstances": "completed", "Rest": "running"})
    assert ec2.describe_instances(Filters=stopped)["Reservations"] == []
    aws.advance(2)
    assert state_of(fis, experiment)[0] == "completed"


def test_filters_parameters_and_shares_choose_the_targets(aws: Aws) -> None:
    fis, ec2 = client_in(aws, TEST, "fis"), client_in(aws, TEST, "ec2")
    outage, loss = begin(fis, "az-outage-checkout-staging", "a"), begin(fis, "task-loss-checkout-staging", "b")
    aws.advance(10 / 60)
    hit = [arn.rpartition("/")[2] for arn in targets_of(fis, outage)]
    subnets = [name for name in hit if name.startswith("subnet-")]
    instances = [name for name in hit if name.startswith("i-")]
    assert len(subnets) == 1
    assert len(instances) == 2
    placed = ec2.describe_instances(InstanceIds=instances)["Reservations"]
    assert {r["Instances"][0]["Placement"]["AvailabilityZone"] for r in placed} == {"us-east-1a"}
    assert len(targets_of(fis, loss)) == 3, "half of six tasks"


def test_a_token_begins_one_run_and_no_other(aws: Aws) -> None:
    fis = client_in(aws, TEST, "fis")
    first = begin(fis, "az-outage-checkout-staging", "once")
    assert begin(fis, "az-outage-checkout-staging", "once") == first
    other = {"experimentTemplateId": template_id("task-loss-checkout-staging"), "clientToken": "once"}
    assert refusal_of(fis.start_experiment, **other) == "ConflictException"
    assert len(fis.list_experiments()["experiments"]) == 1


def test_a_preview_resolves_the_targets_and_does_nothing_to_them(aws: Aws) -> None:
    fis = client_in(aws, TEST, "fis")
    preview = begin(fis, "az-outage-checkout-staging", experimentOptions={"actionsMode": "skip-all"})
    aws.advance(10 / 60)
    status, actions = state_of(fis, preview)
    assert status == "completed"
    assert set(actions.values()) == {"skipped"}
    assert len(targets_of(fis, preview)) == 3


def test_stopping_ends_every_action_and_what_it_did(aws: Aws) -> None:
    fis, ec2 = client_in(aws, TEST, "fis"), client_in(aws, TEST, "ec2")
    experiment = begin(fis, "az-outage-checkout-staging")
    aws.advance(1)
    assert fis.stop_experiment(id=experiment)["experiment"]["state"]["status"] == "stopping"
    fis.stop_experiment(id=experiment)
    aws.advance(0.5)
    status, actions = state_of(fis, experiment)
    assert (status, actions["CutNetwork"], actions["Settle"]) == ("stopped", "stopped", "cancelled")
    states = {i["Instances"][0]["State"]["Name"] for i in ec2.describe_instances()["Reservations"]}
    assert states == {"running"}
    assert refusal_of(fis.stop_experiment, id=experiment) == "ValidationException"


def test_the_lever_stops_what_runs_and_lets_nothing_begin(aws: Aws) -> None:
    fis = client_in(aws, TEST, "fis")
    running = begin(fis, "az-outage-checkout-staging", "a")
    aws.advance(1)
    engaged = {"status": "engaged", "reason": "enough"}
    lever = fis.update_safety_lever_state(id="default", state=engaged)["safetyLever"]
    assert lever["state"]["status"] == "engaging"
    late = begin(fis, "task-loss-checkout-staging", "b")
    aws.advance(1)
    assert state_of(fis, running)[0] == "stopped"
    assert state_of(fis, late)[0] == "cancelled"
    assert fis.get_safety_lever(id="default")["safetyLever"]["state"] == engaged
    assert client_in(aws, PROD, "fis").get_safety_lever(id="default")["safetyLever"]["state"]["status"] == "disengaged"


def test_the_sixth_run_is_over_the_quota(aws: Aws) -> None:
    fis = client_in(aws, TEST, "fis")
    for number in range(5):
        begin(fis, "task-loss-checkout-staging", f"t{number}")
    over = {"experimentTemplateId": template_id("task-loss-checkout-staging"), "clientToken": "t5"}
    assert refusal_of(fis.start_experiment, **over) == "ServiceQuotaExceededException"


def test_several_accounts_are_hit_by_one_run(aws: Aws) -> None:
    fis = client_in(aws, PROD, "fis")
    experiment = begin(fis, "region-drill-checkout")
    aws.advance(1)
    accounts = fis.list_experiment_target_account_configurations(experimentId=experiment)
    assert {a["accountId"] for a in accounts["targetAccountConfigurations"]} == {TEST, PROD}
    assert len(targets_of(fis, experiment)) == (6 + 12) // 4


@pytest.mark.parametrize("fault", ["action", "nothing"])
def test_what_fails_says_why(aws: Aws, fault: str) -> None:
    fis = client_in(aws, TEST, "fis")
    if fault == "action":
        aws.post("faults", name="action_failed", on=True, message="The instance profile is missing.")
        experiment = begin(fis, "az-outage-checkout-staging")
    else:
        targets = {"t": {"resourceType": "aws:ec2:instance", "resourceTags": {"a": "b"}, "selectionMode": "ALL"}}
        actions = {"Reboot": {"actionId": "aws:ec2:reboot-instances", "targets": {"Instances": "t"}}}
        made = fis.create_experiment_template(
            clientToken="c",
            description="d",
            roleArn=f"arn:aws:iam::{TEST}:role/FaultInjection",
            targets=targets,
            actions=actions,
            stopConditions=[{"source": "none"}],
        )
        template = made["experimentTemplate"]["id"]
        experiment = fis.start_experiment(experimentTemplateId=template, clientToken="d")["experiment"]["id"]
    aws.advance(1)
    state = fis.get_experiment(id=experiment)["experiment"]["state"]
    assert state["status"] == "failed"
    assert ("instance profile" if fault == "action" else "empty set") in state["reason"]


def test_templates_come_in_pages(aws: Aws) -> None:
    fis = client_in(aws, PROD, "fis")
    pages = list(fis.get_paginator("list_experiment_templates").paginate(PaginationConfig={"PageSize": 2}))
    ids = [t["id"] for page in pages for t in page["experimentTemplates"]]
    assert len(pages) > 1
    assert len(ids) == len(set(ids)) == 5
    assert fis.get_experiment_template(id=ids[0])["experimentTemplate"]["stopConditions"]
    assert refusal_of(fis.get_experiment_template, id="EXTnothing") == "ResourceNotFoundException"


def test_an_alarm_follows_what_a_run_does_and_stops_it(aws: Aws) -> None:
    fis, watch = client_in(aws, TEST, "fis"), client_in(aws, TEST, "cloudwatch")
    alarm = "checkout-staging-errors"
    experiment = begin(fis, "task-loss-checkout-staging", "quick")
    aws.advance(2)
    assert state_of(fis, experiment)[0] == "completed", "a task's loss is over before the alarm looks"
    cut = {"subnets": {"resourceType": "aws:ec2:subnet", "resourceTags": {"stack": "checkout-staging"}}}
    cut["subnets"]["selectionMode"] = "COUNT(2)"
    parameters = {"duration": "PT10M", "scope": "all"}
    action = {"actionId": "aws:network:disrupt-connectivity", "targets": {"Subnets": "subnets"}}
    made = fis.create_experiment_template(
        clientToken="c",
        description="Two of three zones",
        roleArn=f"arn:aws:iam::{TEST}:role/FaultInjection",
        targets=cut,
        actions={"Cut": {**action, "parameters": parameters}},
        stopConditions=[{"source": "aws:cloudwatch:alarm", "value": alarm_arn("checkout-staging")}],
    )["experimentTemplate"]["id"]
    experiment = fis.start_experiment(experimentTemplateId=made, clientToken="d")["experiment"]["id"]
    aws.advance(0.5)
    assert state_of(fis, experiment)[0] == "running"
    aws.advance(2)
    state = fis.get_experiment(id=experiment)["experiment"]["state"]
    assert (state["status"], state["reason"]) == ("stopped", "Experiment halted by stop condition.")
    aws.advance(5)
    (described,) = watch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    history = watch.describe_alarm_history(AlarmName=alarm)["AlarmHistoryItems"]
    assert described["StateValue"] == "OK"
    assert [item["HistorySummary"].rpartition(" ")[2] for item in history] == ["OK", "ALARM"]


def test_a_run_whose_alarm_fires_already_is_halted_at_once(aws: Aws) -> None:
    fis, watch = client_in(aws, TEST, "fis"), client_in(aws, TEST, "cloudwatch")
    watch.set_alarm_state(AlarmName="checkout-staging-errors", StateValue="ALARM", StateReason="a rehearsal")
    experiment = begin(fis, "az-outage-checkout-staging")
    aws.advance(1)
    assert state_of(fis, experiment)[0] == "stopped"
