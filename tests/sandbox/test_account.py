"""Alternate contacts: set, read and removed for member accounts."""

import pytest

from sandbox.landing_zone import MANAGEMENT_ACCOUNT
from tests.sandbox.landing import Aws
from tests.sandbox.members import client_in, refusal_of

MEMBER = "555566667777"


def contact(**changes: str) -> dict[str, str]:
    return {
        "AlternateContactType": "SECURITY",
        "Name": "Security Desk",
        "Title": "On duty",
        "EmailAddress": "security1@corp.example",
        "PhoneNumber": "+1 555 0101",
        **changes,
    }


def test_a_contact_put_twice_is_there_once_as_last_put(aws: Aws) -> None:
    account = aws.client("account")
    account.put_alternate_contact(AccountId=MEMBER, **contact())
    account.put_alternate_contact(AccountId=MEMBER, **contact(Title="Head"))
    account.put_alternate_contact(AccountId=MEMBER, **contact(AlternateContactType="BILLING"))

    read = account.get_alternate_contact(AccountId=MEMBER, AlternateContactType="SECURITY")["AlternateContact"]
    assert read == contact(Title="Head")
    account.delete_alternate_contact(AccountId=MEMBER, AlternateContactType="SECURITY")
    asked = {"AccountId": MEMBER, "AlternateContactType": "SECURITY"}
    assert refusal_of(account.get_alternate_contact, **asked) == "ResourceNotFoundException"
    assert refusal_of(account.delete_alternate_contact, **asked) == "ResourceNotFoundException"
    assert account.get_alternate_contact(AccountId=MEMBER, AlternateContactType="BILLING")["AlternateContact"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"AccountId": "999999999999"}, "AccessDeniedException"),
        ({"AccountId": MANAGEMENT_ACCOUNT}, "AccessDeniedException"),
        ({"AccountId": "12345"}, "ValidationException"),
        ({"AlternateContactType": "OWNER"}, "ValidationException"),
        ({"EmailAddress": "nobody"}, "ValidationException"),
        ({"PhoneNumber": "call me"}, "ValidationException"),
        ({"Name": "n" * 65}, "ValidationException"),
    ],
)
def test_refuses_a_contact_as_aws_does(aws: Aws, changes: dict[str, str], code: str) -> None:
    account = aws.client("account")
    assert refusal_of(account.put_alternate_contact, **{"AccountId": MEMBER, **contact(**changes)}) == code
    asked = {"AccountId": MEMBER, "AlternateContactType": "SECURITY"}
    assert refusal_of(account.get_alternate_contact, **asked) == "ResourceNotFoundException"


def test_the_management_account_sets_its_own_contact_without_naming_itself(aws: Aws) -> None:
    account = aws.client("account")
    account.put_alternate_contact(**contact())
    assert account.get_alternate_contact(AlternateContactType="SECURITY")["AlternateContact"]["Name"] == "Security Desk"


def test_a_member_sets_its_own_contact_and_nobody_elses(aws: Aws) -> None:
    inside = client_in(aws, MEMBER, "account")
    inside.put_alternate_contact(**contact())

    seen = aws.client("account").get_alternate_contact(AccountId=MEMBER, AlternateContactType="SECURITY")
    assert seen["AlternateContact"] == contact()
    assert refusal_of(inside.put_alternate_contact, AccountId="666677778888", **contact()) == "AccessDeniedException"
    assert refusal_of(inside.put_alternate_contact, AccountId=MEMBER, **contact()) == "AccessDeniedException"


def test_a_closed_account_takes_no_contact_and_still_shows_those_it_has(aws: Aws) -> None:
    account = aws.client("account")
    account.put_alternate_contact(AccountId=MEMBER, **contact())
    aws.client("organizations").close_account(AccountId=MEMBER)

    assert refusal_of(account.put_alternate_contact, AccountId=MEMBER, **contact()) == "AccessDeniedException"
    asked = {"AccountId": MEMBER, "AlternateContactType": "SECURITY"}
    assert refusal_of(account.delete_alternate_contact, **asked) == "AccessDeniedException"
    assert account.get_alternate_contact(**asked)["AlternateContact"] == contact()


def test_every_member_has_the_organizations_primary_contact(aws: Aws) -> None:
    account = aws.client("account")
    assert account.get_contact_information(AccountId=MEMBER)["ContactInformation"]["CountryCode"] == "US"
    assert refusal_of(account.get_contact_information, AccountId="999999999999") == "AccessDeniedException"
