"""What CodeDeploy changes in a deployment: written in one text, read back as it was, and refused by name."""

from __future__ import annotations

import pytest

from bot.errors import Invalid
from bot.releases.codedeploy import CodeDeployTarget, codedeploy_of
from bot.releases.registry import deployment_from, deployments_from, records_of_csv

RECORD = {"id": "acme", "type": "silo", "account": "123456789012", "region": "eu-west-1"}


def test_a_target_is_read_as_it_is_written() -> None:
    prices = CodeDeployTarget("Lambda", "shop-prices", "production", "prices", "live")
    web = CodeDeployTarget("ECS", "shop.web", "eu+1", "shop", "shop-web")
    for one in (prices, web):
        assert codedeploy_of(one.text) == one
    assert (prices.shown, web.shown) == ("prices:live", "the service shop")
    assert codedeploy_of(" LAMBDA:shop-prices/production/prices/live ") == prices
    assert codedeploy_of("") is None


@pytest.mark.parametrize("text", ["lambda:a/b/c", "ecs:a/b/c/d/e", "server:a/b/c/d", "lambda:a/b/c/d e", "a"])
def test_what_is_no_target_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Invalid, match="is no target of CodeDeploy; write one like lambda:") as caught:
        deployment_from({**RECORD, "codedeploy": text})
    assert caught.value.field == "codedeploy"


def test_records_and_csv_name_a_target_or_a_pipeline_and_not_both() -> None:
    target = "lambda:shop-prices/production/prices/live"
    one = deployment_from({**RECORD, "codedeploy": target})
    assert (one.codedeploy, one.pipeline) == (target, "")
    table = f"id,type,account,region,codedeploy,pipeline\n1,pool,123456789012,eu-west-1,{target},\n"
    table += "2,pool,123456789012,eu-west-1,,pool-2\n3,pool,123456789012,eu-west-1,,\n"
    found = deployments_from(records_of_csv(table))
    assert [(d.codedeploy, d.pipeline) for d in found] == [(target, ""), ("", "pool-2"), ("", "pool-3-pipeline")]
    with pytest.raises(Invalid, match="not by both"):
        deployment_from({**RECORD, "codedeploy": target, "pipeline": "silo-acme"})
