"""What a plan says of what CodeDeploy shifts: AWS's own configurations by people's words, and the AppSpec of each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.errors import Invalid
from bot.releases.waves import Deployment
from bot.releases.wording import read_strategy, say_strategy
from intents.releases.codedeploy import app_spec
from intents.releases.shift_facts import _says
from intents.releases.shift_planning import config_of, expected_seconds, pace_of
from sandbox.delivery.shifting import configs
from tests.releases.test_following import NOW
from tests.releases.test_shift_runs import SHIFT

KNOWN = [Deployment("shop", "prices", "pool", "111111111111", "eu-west-1", codedeploy="lambda:a/b/c/d")]


@pytest.mark.parametrize(
    ("words", "means"),
    [
        ("everyone, shift 10% for 5 min", "10 % for 5 minutes"),
        ("everyone, shifting 10 percent of the traffic every minute", "10 % every minute"),
        ("everyone and shift the traffic by 10 % every 3 minutes", "10 % every 3 minutes"),
        ("everyone, shift 10 % every 1 minute", "10 % every minute"),
        ("everyone, traffic all at once", "all at once"),
        ("everyone", ""),
    ],
)
def test_how_traffic_shifts_is_said_in_a_strategys_words_and_said_again(words: str, means: str) -> None:
    strategy = read_strategy(words, KNOWN, NOW)
    assert strategy.shift == means
    assert read_strategy(say_strategy(strategy), KNOWN, NOW) == strategy


def test_what_is_no_way_to_shift_is_not_understood() -> None:
    with pytest.raises(Invalid, match="shift most of it"):
        read_strategy("everyone, shift most of it", KNOWN, NOW)


@pytest.mark.parametrize("platform", ["Lambda", "ECS"])
def test_each_of_codedeploys_own_configurations_has_words_that_mean_it(platform: str) -> None:
    for config in configs(platform):
        assert config_of(platform, pace_of(config)) == config
    assert config_of(platform, "10 % for 7 minutes") == ""
    assert pace_of("HouseOwn20Percent") == "HouseOwn20Percent"


@pytest.mark.parametrize(
    ("config", "seconds"),
    [
        ("CodeDeployDefault.LambdaCanary10Percent5Minutes", 330),
        ("CodeDeployDefault.LambdaLinear10PercentEvery2Minutes", 30 + 9 * 120),
        ("CodeDeployDefault.LambdaAllAtOnce", 30),
        ("HouseOwn", 630),
    ],
)
def test_a_deployment_is_expected_to_take_what_its_configuration_says(config: str, seconds: float) -> None:
    assert expected_seconds({**SHIFT, "config": config}, {}) == seconds
    kept = {"terminateBlueInstancesOnDeploymentSuccess": {"terminationWaitTimeInMinutes": 5}}
    assert expected_seconds({**SHIFT, "config": config}, {"blueGreenDeploymentConfiguration": kept}) == seconds + 300


@pytest.mark.parametrize(
    ("description", "is_it"),
    [
        ("2.4.1", True),
        ("v2.4.1", True),
        ("2.4.1: fewer queries", True),
        ("2.4.1 (7a1985d)", True),
        ("2.4.10", False),
        ("before 2.4.1", False),
        ("", False),
    ],
)
def test_a_function_version_is_known_by_what_its_description_begins_with(description: str, is_it: bool) -> None:
    assert _says(description, "2.4.1") is is_it


def test_an_app_spec_is_the_same_for_the_same_change() -> None:
    found: dict[str, Any] = json.loads(app_spec(SHIFT, "7", "8"))
    assert found["Resources"] == [
        {
            "Target": {
                "Type": "AWS::Lambda::Function",
                "Properties": {"Name": "prices", "Alias": "live", "CurrentVersion": "7", "TargetVersion": "8"},
            }
        }
    ]
    service = {"platform": "ECS", "container": "app", "port": 8080}
    assert app_spec(service, "a:1", "a:2") == app_spec(dict(service), "a:1", "a:2")
