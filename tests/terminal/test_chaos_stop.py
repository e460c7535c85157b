"""`python -m bot chaos stop`: works with the settings alone."""

from __future__ import annotations

from typing import Any

import boto3
import pytest

from bot.commands import main
from sandbox.chaos_seed import template_id
from sandbox.server import Sandbox


@pytest.mark.parametrize("is_there", [True, False])
def test_it_engages_every_lever_and_says_where_it_could_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_there: bool
) -> None:
    with Sandbox(speed=0) as sandbox:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sandbox.url)
        monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/gone")
        if not is_there:
            sandbox.faults.switch("access_denied", True, {"operations": ["UpdateSafetyLeverState"], "times": 1})
        status = main(["chaos", "stop", "--reason", "production is on fire"])
        levers = list(sandbox.world.zone.levers.values())
    told = capsys.readouterr().out
    assert status == (0 if is_there else 1)
    assert levers == [{"status": "engaged", "reason": "production is on fire"}] * (2 if is_there else 1)
    assert ("FAILED" in told) == (not is_there)


def test_one_experiment_is_stopped_by_its_request_or_its_own_id_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Sandbox(speed=0) as sandbox:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sandbox.url)
        monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/gone")
        fis = _fis_of(sandbox)
        template = template_id("instance-loss-checkout-staging")
        started = {
            request: fis.start_experiment(
                experimentTemplateId=template, clientToken=request, tags={"quartermaster-request": request}
            )["experiment"]["id"]
            for request in ("qm-22222222", "qm-33333333", "qm-44444444")
        }
        assert main(["chaos", "stop", "qm-22222222"]) == 0
        assert main(["chaos", "stop", started["qm-33333333"]]) == 0
        assert main(["chaos", "stop", "qm-55555555"]) == 1
        states = {e: fis.get_experiment(id=e)["experiment"]["state"]["status"] for e in started.values()}
    told = capsys.readouterr().out
    assert "No experiment qm-55555555 was found" in told
    assert [states[e] in ("stopping", "stopped") for e in started.values()] == [True, True, False]
    assert sandbox.world.zone.levers == {}


def _fis_of(sandbox: Sandbox) -> Any:
    own = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    sts = boto3.client("sts", endpoint_url=sandbox.url, **own)
    given = sts.assume_role(RoleArn="arn:aws:iam::666688889999:role/Reader", RoleSessionName="looks")["Credentials"]
    return boto3.client(
        "fis",
        endpoint_url=sandbox.url,
        region_name="us-east-1",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
