"""AWS Account Management: whom AWS writes to about an account."""

from __future__ import annotations

from typing import Any

from sandbox.errors import AwsError
from sandbox.landing_zone import MANAGEMENT_ACCOUNT
from sandbox.model import Account
from sandbox.registry import Context, Parameters, Service, serve

operation = serve(
    Service(
        "account",
        signing_name="account",
        throttled="TooManyRequestsException",
        throttled_status=429,
        denied_status=403,
    )
)

_MEMBERS = ("Name", "Title", "EmailAddress", "PhoneNumber", "AlternateContactType")


@operation("PutAlternateContact")
def put_alternate_contact(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Set a contact; whatever was there before is replaced."""
    account = _find_account(context, parameters)
    if account.status != "ACTIVE":
        raise _refuse(context, "The account is closed or suspended.")
    contact = {member: parameters[member].strip() for member in _MEMBERS}
    context.world.zone.contacts[_key_of(account, parameters)] = contact
    context.world.changed()
    return {}


@operation("GetAlternateContact")
def get_alternate_contact(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A contact; those of closed accounts can still be read."""
    contact = context.world.zone.contacts.get(_key_of(_find_account(context, parameters), parameters))
    if contact is None:
        raise _not_found(parameters)
    return {"AlternateContact": contact}


@operation("DeleteAlternateContact")
def delete_alternate_contact(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Remove a contact."""
    account = _find_account(context, parameters)
    if account.status != "ACTIVE":
        raise _refuse(context, "The account is closed or suspended.")
    if context.world.zone.contacts.pop(_key_of(account, parameters), None) is None:
        raise _not_found(parameters)
    context.world.changed()
    return {}


@operation("GetContactInformation")
def get_contact_information(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The primary contact, the same for every account of the organization."""
    _find_account(context, parameters)
    return {
        "ContactInformation": {
            "FullName": "Cloud Platform",
            "CompanyName": "Corp Example",
            "AddressLine1": "1 Example Street",
            "City": "Springfield",
            "PostalCode": "12345",
            "CountryCode": "US",
            "PhoneNumber": "+1 555 0100",
        }
    }


def _find_account(context: Context, parameters: Parameters) -> Account:
    """The account meant: the caller's own, or a member that the management account names."""
    named = parameters.get("AccountId")
    if named is not None and context.account != MANAGEMENT_ACCOUNT:
        raise _refuse(context)
    if named == MANAGEMENT_ACCOUNT:
        raise _refuse(context, "The management account can only be managed without naming an AccountId.")
    account = context.world.zone.accounts.get(named or context.account)
    if account is None:
        raise _refuse(context, "The account is not a member of the organization.")
    return account


def _key_of(account: Account, parameters: Parameters) -> str:
    return f"{account.id}/{parameters['AlternateContactType']}"


def _refuse(context: Context, why: str = "") -> AwsError:
    message = f"User: {context.caller} is not authorized to perform: account:{context.operation}"
    return AwsError("AccessDeniedException", f"{message} ({why})" if why else message)


def _not_found(parameters: Parameters) -> AwsError:
    kind = parameters["AlternateContactType"]
    return AwsError("ResourceNotFoundException", f"The account has no alternate contact of the type {kind}.")
