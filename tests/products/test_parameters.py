"""Parameters as questions: what constraints accept, in whose words they refuse, what defaults and secrets mean."""

from __future__ import annotations

from typing import Any

import pytest

from bot.errors import Invalid
from intents.products.catalog import _without_secret
from intents.products.parameters import Parameter, checked_answer, checked_value, question_of


def made(key: str = "Size", **limits: Any) -> Parameter:
    told: dict[str, Any] = {
        name: limits.pop(name) for name in ("ParameterType", "DefaultValue", "IsNoEcho") if name in limits
    }
    return Parameter.of({"ParameterKey": key, "Description": "What it is", "ParameterConstraints": limits, **told})


@pytest.mark.parametrize(
    ("parameter", "said", "value"),
    [
        (made(AllowedValues=["small", "Large"]), "LARGE", "Large"),
        (made(ParameterType="Number", MinValue="1", MaxValue="3"), "3", "3"),
        (made(ParameterType="CommaDelimitedList", AllowedPattern=r"\d{3}"), "123, 456", "123,456"),
        (made(ParameterType="List<Number>", MaxValue="9"), "1, 9", "1,9"),
        (made(ParameterType="CommaDelimitedList", DefaultValue=""), "none", ""),
        (made(DefaultValue="blue"), "skip", "blue"),
        (made(DefaultValue="blue"), "Default.", "blue"),
        (made(DefaultValue="blue", AllowedValues=["blue", "default"]), "default", "default"),
        (made(ParameterType="AWS::EC2::VPC::Id"), "vpc-0123456789abcdef0", "vpc-0123456789abcdef0"),
        (made(AllowedPattern=r"(?<broken"), "anything", "anything"),
    ],
)
def test_accepts_what_fits(parameter: Parameter, said: str, value: str) -> None:
    assert checked_answer(parameter, said) == value


@pytest.mark.parametrize(
    ("parameter", "said", "words"),
    [
        (made(AllowedValues=["small", "large"]), "tiny", "it must be small or large"),
        (made(AllowedPattern="[a-z]+", ConstraintDescription="must be lower case."), "ABC", "must be lower case"),
        (made(AllowedPattern="[a-z]+"), "ABC", "it must match [a-z]+"),
        (made(MinLength="3"), "ab", "at least 3 characters, not 2"),
        (made(MaxLength="3"), "abcd", "at most 3 characters, not 4"),
        (made(ParameterType="Number"), "many", "it must be a number"),
        (made(ParameterType="Number"), "nan", "it must be a number"),
        (made(ParameterType="Number"), "infinity", "it must be a number"),
        (made(ParameterType="Number", MinValue="2"), "1", "at least 2"),
        (made(ParameterType="Number", MaxValue="2"), "3", "at most 2"),
        (made(ParameterType="CommaDelimitedList", AllowedPattern=r"\d{3}"), "123, x", "“x” can't be Size"),
        (made(ParameterType="AWS::EC2::Subnet::Id"), "vpc-1", "it must look like subnet-"),
        (made(), "skip", "Size has no default"),
    ],
)
def test_refuses_what_does_not_fit_in_the_constraints_own_words(parameter: Parameter, said: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_answer(parameter, said)
    assert words in refused.value.detail


def test_a_question_shows_description_limits_and_default() -> None:
    slot = question_of(made(ParameterType="Number", MinValue="1", MaxValue="5", DefaultValue="2"))
    assert slot.prompt == "Size: What it is. (a number from 1 to 5) Say “skip” for 2."


def test_allowed_values_are_offered_the_default_first() -> None:
    assert made(AllowedValues=["a", "b", "c"], DefaultValue="b").suggestions == ("b", "a", "c")


def test_a_key_that_is_a_slot_of_ours_is_set_apart() -> None:
    assert made("Version").slot_name == "Parameter:Version"
    assert made("Size").slot_name == "Size"


SECRET = made("Password", IsNoEcho=True, MinLength="12", MaxLength="40")


@pytest.mark.parametrize("said", ["hunter2hunter2", "skip", "{{resolve:ssm:plain}}", "secret app-db", "[withheld]"])
def test_of_a_secret_nothing_but_a_reference_is_taken_and_nothing_is_repeated(said: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_answer(SECRET, said)
    assert said not in refused.value.sentence()


def test_a_reference_to_a_secret_is_written_as_cloudformation_reads_it() -> None:
    assert checked_answer(SECRET, "secretsmanager:app-db") == "{{resolve:secretsmanager:app-db}}"
    assert checked_answer(SECRET, "{{resolve:secretsmanager:app-db}}") == "{{resolve:secretsmanager:app-db}}"


def test_a_reference_is_held_to_the_limits_itself() -> None:
    with pytest.raises(Invalid, match="holds the reference"):
        checked_answer(SECRET, "secretsmanager:a-very-long-name-of-a-secret-in-the-manager")


def test_a_secrets_default_is_neither_read_nor_shown() -> None:
    told = _without_secret({"ParameterKey": "P", "IsNoEcho": True, "DefaultValue": "Sup3rSecret"})
    parameter = Parameter.of(told)
    assert "Sup3rSecret" not in question_of(parameter).prompt + str(parameter)
    assert checked_answer(parameter, "skip") == ""
    assert parameter.suggestions == ()


def test_an_empty_value_is_no_value_of_a_list_without_default() -> None:
    with pytest.raises(Invalid):
        checked_value(made(ParameterType="CommaDelimitedList", MinLength="1"), "")
