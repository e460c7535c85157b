"""kill -9 in a roll-out: each deployment is changed once, with the commit that was approved, whoever is killed when."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import boto3
import httpx
import pytest

from sandbox.delivery.seed import TABLE
from tests.restart.people import Requester
from tests.restart.processes import APPROVER, BotProcess, SandboxProcess, until
from tests.restart.rig import Rig
from tests.restart.test_kill_at_each_call import kill_at_each

QUEUE = "https://sqs.us-east-1.amazonaws.com/111122223333/quartermaster-releases"
COUNT = 5
FUNCTIONS, CHECKOUT = "666677778888", "666688889999"
TAKEN_OVER = 30.0


def _makes_pipelines(sandbox: SandboxProcess) -> list[dict[str, str]]:
    wish = {"count": COUNT, "prefix": "k", "minutes": [2, 4], "accounts": ["666677778888", "444466667777"]}
    return _makes(sandbox, "pipelines", wish)


def _makes_functions(sandbox: SandboxProcess) -> list[dict[str, str]]:
    wish = {"count": COUNT, "prefix": "k", "accounts": [FUNCTIONS], "regions": ["us-east-1"]}
    return _makes(sandbox, "deployables", wish)


def _makes(sandbox: SandboxProcess, what: str, wish: dict[str, Any]) -> list[dict[str, str]]:
    answer = httpx.post(f"{sandbox.url}/_sandbox/{what}", json=wish, trust_env=False).raise_for_status()
    found: list[dict[str, str]] = answer.json()["deployments"]
    return found


def _orders(
    rig: Rig,
    bot: BotProcess,
    sandbox: SandboxProcess,
    waves: str,
    makes: Callable[[SandboxProcess], list[dict[str, str]]] = _makes_pipelines,
) -> str:
    """Fill the registry, order a roll-out and return its request, which waits to be approved."""
    body: dict[str, Any] = {"user": {"email": APPROVER}, "deployments": makes(sandbox)}
    assert bot.client.post("/v1/deployments", json=body).status_code == 200
    body = {"user": {"email": "ana@corp.example"}, "version": "2.4.1", "waves": waves}
    answer = bot.client.post("/v1/rollouts", json=body)
    assert answer.status_code == 200, answer.text
    request = str(answer.json()["id"])
    rig.approver.token(request)
    return request


def _ends_well(bot: BotProcess, request: str) -> dict[str, Any]:
    def view() -> dict[str, Any] | None:
        found: dict[str, Any] = bot.client.get(f"/v1/rollouts/{request}").json()
        assert found["phase"] != "paused", found
        return found if found["state"] == "succeeded" else None

    return until(view, f"{request} succeeds", 60.0)


def _assert_started_once(sandbox: SandboxProcess, view: dict[str, Any]) -> None:
    """Assert one run of each pipeline, each of the approved commit, which is the one that is recorded."""
    assert view["counts"] == {"succeeded": COUNT}
    with closing(_client(sandbox, "codepipeline")) as pipelines:
        for target in view["targets"]:
            found = pipelines.list_pipeline_executions(pipelineName=f"{target['name']}-pipeline")
            (run,) = found["pipelineExecutionSummaries"]
            assert run["pipelineExecutionId"] == target["execution"]
            assert [r["revisionId"] for r in run["sourceRevisions"]] == [view["commit"]]


def test_a_roll_out_survives_a_kill_in_each_call_of_its_work(rig: Rig, sandbox: SandboxProcess) -> None:
    bot = rig.bot("bot", RELEASE_EVENTS_QUEUE=QUEUE)
    bot.start()
    request = _orders(rig, bot, sandbox, "next 1, then everyone")
    points = [
        ("ListPipelineExecutions", "before"),
        ("StartPipelineExecution", "after"),
        ("GetPipelineExecution", "before"),
        ("StartPipelineExecution", "after"),
        ("DeleteMessageBatch", "before"),
    ]
    sandbox.hang(points[0][0])
    assert rig.approver.approves(bot, request) == 200
    kill_at_each(sandbox, bot, points)
    _assert_started_once(sandbox, _ends_well(bot, request))
    assert len(sandbox.calls("StartPipelineExecution")) > COUNT, "the kills hit the call itself"
    until(lambda: bot.verify_audit()[0] == 0, "the audit verifies")


def test_a_shift_of_traffic_survives_a_kill_in_each_call_and_is_begun_once(rig: Rig, sandbox: SandboxProcess) -> None:
    bot = rig.bot("bot", RELEASE_EVENTS_QUEUE=QUEUE)
    bot.start()
    request = _orders(rig, bot, sandbox, "next 1, then everyone", _makes_functions)
    points = [
        ("GetAlias", "before"),
        ("CreateDeployment", "before"),
        ("CreateDeployment", "after"),
        ("BatchGetDeployments", "before"),
    ]
    sandbox.hang(points[0][0])
    assert rig.approver.approves(bot, request) == 200
    kill_at_each(sandbox, bot, points)
    view = _ends_well(bot, request)
    assert view["counts"] == {"succeeded": COUNT}
    codedeploy, functions = (_client_of(sandbox, service) for service in ("codedeploy", "lambda"))
    for target in view["targets"]:
        name = f"shop-{target['name']}"
        found = codedeploy.list_deployments(applicationName=name, deploymentGroupName="production")["deployments"]
        assert found == [target["execution"]]
        assert functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == "2"
    assert len(sandbox.calls("CreateDeployment")) == COUNT, "what was asked for is looked for, and not asked twice"
    until(lambda: bot.verify_audit()[0] == 0, "the audit verifies")


def _client_of(sandbox: SandboxProcess, service: str, account: str = FUNCTIONS) -> Any:
    """Return a client in a member account, as shipped the one that has the functions."""
    with closing(_client(sandbox, "sts")) as sts:
        role = f"arn:aws:iam::{account}:role/Reader"
        given = sts.assume_role(RoleArn=role, RoleSessionName="looks-around")["Credentials"]
    return _client(sandbox, service, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def _client(sandbox: SandboxProcess, service: str, key: str = "test", secret: str = "test", token: str = "") -> Any:
    return boto3.client(
        service,
        endpoint_url=sandbox.url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token or None,
    )


@pytest.mark.postgres
def test_a_replica_goes_on_with_the_wave_that_a_killed_one_was_in(
    rig: Rig, sandbox: SandboxProcess, split: Callable[[], tuple[BotProcess, BotProcess]]
) -> None:
    holder, other = split()
    request = _orders(rig, other, sandbox, "everyone, at most 3 at once")
    sandbox.hang("StartPipelineExecution", when="after")
    assert rig.approver.approves(other, request) == 200
    until(lambda: sandbox.held("StartPipelineExecution"), "the wave begins", TAKEN_OVER)
    holder.kill()
    sandbox.let_go()
    view = _ends_well(other, request)
    _assert_started_once(sandbox, view)
    tokens = {c["params"]["name"]: c["params"]["clientRequestToken"] for c in sandbox.calls("StartPipelineExecution")}
    assert len(tokens) == len(set(tokens.values())) == COUNT
    assert {c["params"]["clientRequestToken"] for c in sandbox.calls("StartPipelineExecution")} == set(tokens.values())


def test_an_experiment_between_waves_survives_a_kill_and_runs_once(rig: Rig, sandbox: SandboxProcess) -> None:
    bot = rig.bot("bot", RELEASE_EVENTS_QUEUE=QUEUE)
    bot.start()
    request = _orders(rig, bot, sandbox, "next 1, then run the az-outage-checkout-staging experiment, then everyone")
    points = [("StartPipelineExecution", "after"), ("StartExperiment", "before"), ("StartExperiment", "after")]
    sandbox.hang(points[0][0], when=points[0][1])
    assert rig.approver.approves(bot, request) == 200
    kill_at_each(sandbox, bot, points)
    assert _ends_well(bot, request)["counts"] == {"succeeded": COUNT}
    with closing(_client_of(sandbox, "fis", CHECKOUT)) as fis:
        (run,) = fis.list_experiments()["experiments"]
    assert run["state"]["status"] == "completed"
    until(lambda: bot.verify_audit()[0] == 0, "the audit verifies")


def test_a_deployment_that_is_added_survives_a_kill_in_each_call_and_is_made_and_written_down_once(
    rig: Rig, sandbox: SandboxProcess
) -> None:
    bot = rig.bot("bot", DEPLOYMENT_TABLE=TABLE)
    bot.start()
    body = {"user": {"email": APPROVER, "name": "Bo"}, "text": "import the deployments"}
    assert "follows the table" in bot.client.post("/v1/messages", json=body).text
    ana = Requester(bot, "adding")
    ana.says(f"add silo umbrella in {FUNCTIONS} eu-central-1")
    ana.says("yes")
    rig.approver.token(ana.request)
    sandbox.hang("StartBuild", when="after")
    assert rig.approver.approves(bot, ana.request) == 200
    kill_at_each(sandbox, bot, [("StartBuild", "after"), ("BatchGetBuilds", "before")])
    sandbox.hang("PutItem", when="after")
    sandbox.advance(600)
    kill_at_each(sandbox, bot, [("PutItem", "after"), ("GetItem", "before")])
    ana.waits_until("succeeded", seconds=60.0)
    with closing(_client(sandbox, "codebuild")) as builds:
        (build,) = builds.list_builds_for_project(projectName="deployment-provisioning")["ids"]
        assert builds.batch_get_builds(ids=[build])["builds"][0]["buildStatus"] == "SUCCEEDED"
    with closing(_client(sandbox, "dynamodb")) as table:
        found = table.get_item(TableName=TABLE, Key={"id": {"S": "umbrella"}})["Item"]
    assert (found["account"], found["region"]) == ({"S": FUNCTIONS}, {"S": "eu-central-1"})
    assert "umbrella" in {d["id"] for d in bot.client.get("/v1/deployments").json()["deployments"]}
    until(lambda: bot.verify_audit()[0] == 0, "the audit verifies")
