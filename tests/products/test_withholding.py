"""What people type that is secret is taken out before anything is stored."""

from __future__ import annotations

import pytest

from bot.withholding import WITHHELD, reference_of, withhold_named

SECRET = "c0rrect-horse"


@pytest.mark.parametrize(
    "text",
    [
        f"my password is {SECRET}",
        f"password: {SECRET}",
        f"MasterPassword={SECRET}",
        f"master-password := {SECRET} and more",
        f"the master password is correct {SECRET} battery",
        f"order a database with password {SECRET}",
        f"the secret key is {SECRET}",
        f"api_key={SECRET}",
    ],
)
def test_what_is_announced_as_a_secret_is_withheld(text: str) -> None:
    kept = withhold_named(text)
    assert SECRET not in kept
    assert WITHHELD in kept


@pytest.mark.parametrize("text", [f"AdminPin {SECRET}", f"admin pin: {SECRET}", f"adminpin to {SECRET}"])
def test_what_follows_a_secret_parameters_name_is_withheld(text: str) -> None:
    assert SECRET not in withhold_named(text, ["AdminPin"])


@pytest.mark.parametrize(
    "text",
    [
        "I need a sandbox account in Demos for team-x@corp.example",
        "what is the password policy",
        "MasterPassword: secretsmanager:app-db",
        "I forgot my password",
        "order a database",
        "is this secret?",
    ],
)
def test_other_talk_is_left_as_it_is(text: str) -> None:
    assert withhold_named(text, ["MasterPassword"]) == text


@pytest.mark.parametrize("text", ["hunter2", "secretsmanager:", "ssm:plain", "secretsmanager:a b", ""])
def test_only_what_names_a_place_is_a_reference(text: str) -> None:
    assert reference_of(text) == ""
