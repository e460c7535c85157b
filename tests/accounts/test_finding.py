"""Which account a text names: by id, address or name, and never one of two."""

from __future__ import annotations

import pytest

from bot.accounts import find_account
from bot.errors import Invalid
from bot.organization import Organization


def account(account_id: str, name: str) -> dict[str, str]:
    return {"Id": account_id, "Name": name, "Email": f"root-{account_id}@corp.example", "Status": "ACTIVE"}


ORGANIZATION = Organization(
    (),
    (
        account("111111111111", "Billing Prod"),
        account("222222222222", "billing-test"),
        account("333333333333", "Twin"),
        account("444444444444", "twin"),
        account("555555555555", "Cost Explorer"),
    ),
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("111111111111", "111111111111"),
        ("1111-1111-1111", "111111111111"),
        ("Billing Prod (111111111111)", "111111111111"),
        ("billing-prod", "111111111111"),
        ("the account “Billing Prod”", "111111111111"),
        ("billing prod account", "111111111111"),
        ("ROOT-222222222222@corp.example", "222222222222"),
        ("billing_test cost last month", "222222222222"),
        ("Cost Explorer", "555555555555"),
    ],
)
def test_finds_the_account_that_is_named(text: str, found: str) -> None:
    assert find_account(ORGANIZATION, text)["Id"] == found


@pytest.mark.parametrize(
    ("text", "words", "choices"),
    [
        ("twin", "There are 2 accounts called", ("Twin (333333333333)", "twin (444444444444)")),
        ("billing", "There is no account called", ("Billing Prod (111111111111)", "billing-test (222222222222)")),
        ("billing-tset", "There is no account called", ("billing-test (222222222222)",)),
        ("nowhere", "There is no account called", ()),
        ("999999999999", "The organization has no account 999999999999", ()),
    ],
)
def test_asks_rather_than_guesses(text: str, words: str, choices: tuple[str, ...]) -> None:
    with pytest.raises(Invalid, match=words) as caught:
        find_account(ORGANIZATION, text)
    assert caught.value.choices == choices
    assert caught.value.field == "Account"
