"""The rules of the house: account types, OUs, questions and habits, read from house.yml.

A file that is missing means the defaults. The settings ROOT_EMAIL_DOMAINS, ACCOUNT_NAME_PATTERN and EXTRA_SLOTS
go before what the file says. `docs/house.schema.json` is the file's JSON Schema (a test keeps it in step).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.directory import checked_address, read_text_of
from bot.errors import SettingsError
from bot.settings import Settings


def _checked_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    return text


def _checked_approver(text: str) -> str:
    return text if text.startswith("group:") else checked_address(text)


Address = Annotated[str, AfterValidator(checked_address)]
Pattern = Annotated[str, AfterValidator(_checked_pattern)]
Approver = Annotated[str, AfterValidator(_checked_approver)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Budget(_Entry):
    """A monthly cost budget in US dollars, with the percentages at which its owner is told."""

    monthly_usd: float = Field(gt=0, le=10_000_000)
    alerts: tuple[Annotated[int, Field(ge=1, le=1000)], ...] = Field((80, 100), max_length=5)
    notify: tuple[Address, ...] = Field((), max_length=9)
    """Who is told beside the account's owner."""


class Access(_Entry):
    """A permission set that a group of Identity Center gets in the new account."""

    group: str = Field(min_length=1)
    permission_set: str = Field(min_length=1, max_length=32)


class Contact(_Entry):
    """An alternate contact as AWS Account Management takes it."""

    name: str = Field(min_length=1, max_length=64)
    title: str = Field(min_length=1, max_length=50)
    email: Address
    phone: str = Field(pattern=r"^[\s0-9()+-]{1,25}$")


class Contacts(_Entry):
    """Whom AWS writes to beside the root address."""

    billing: Contact | None = None
    operations: Contact | None = None
    security: Contact | None = None


class AccountType(_Entry):
    """One kind of account that people can ask for, and what it gets before it is called ready."""

    name: str = Field(min_length=1, max_length=40)
    synonyms: tuple[str, ...] = ()
    tier: Literal["standard", "production"] = "standard"
    ous: tuple[str, ...] = ()
    """OUs by path that such accounts may go into; any registered one when empty."""
    approvers: tuple[Approver, ...] = ()
    """Asked instead of whom directory.yml or APPROVERS name; addresses, or group:name."""
    budget: Budget | None = None
    expires_days: int | None = Field(None, ge=1, le=3650)
    """Days after which such an account is due to be closed, unless it is renewed."""
    access: tuple[Access, ...] = ()
    contacts: Contacts = Contacts()
    tags: dict[str, str] = Field(default_factory=dict)
    """More tags for the account, beside owner, cost centre and request id."""
    baseline: bool = True
    """Whether Control Tower's baseline, the OU's controls, CloudTrail and Config are looked at before it is ready."""


class ExtraSlot(_Entry):
    """One more thing to ask before an account is ordered; its answer becomes a tag."""

    name: str = Field(min_length=1, max_length=60)
    prompt: str = ""
    kind: Literal["text", "email", "choice", "number"] = "text"
    choices: tuple[str, ...] = ()
    pattern: Pattern = ""
    hint: str = ""
    """What an answer that does not fit the pattern is told."""
    tag: str = Field("", max_length=128)
    """Key of the tag; the name in lower case with hyphens when empty."""
    required: bool = True

    @property
    def slot(self) -> str:
        """The slot's name: CostCentre for “cost centre”."""
        words = re.split(r"[^A-Za-z0-9]+", self.name.strip())
        return "".join(word[:1].upper() + word[1:] for word in words if word) or "Extra"

    @property
    def tag_key(self) -> str:
        """The key of the account's tag."""
        return self.tag or re.sub(r"[^a-z0-9]+", "-", self.name.casefold()).strip("-")

    @model_validator(mode="after")
    def _check(self) -> ExtraSlot:
        if self.kind == "choice" and not self.choices:
            raise ValueError("kind: choice needs choices")
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", self.slot):
            raise ValueError(f"name: {self.name!r} must begin with a letter")
        return self


class House(_Entry):
    """What the house allows."""

    account_types: tuple[AccountType, ...] = Field(min_length=1)
    suggested_ous: tuple[str, ...] = ()
    """OUs that the question names; others of the organization are accepted too."""
    excluded_ous: tuple[str, ...] = ("Security",)
    """OUs that nobody may vend into, by name or path, with everything below them."""
    product_name: str = "AWS Control Tower Account Factory"
    root_email_domains: tuple[str, ...] = ()
    """Domains that root addresses may have; any when empty. Subdomains are named on their own."""
    account_name_pattern: Pattern = ""
    extra_slots: tuple[ExtraSlot, ...] = ()
    ask_names: Literal["missing", "incomplete", "never"] = "missing"
    """When to ask for the first sign-in's names: when the channel gives none, also when it gives one word, or never."""
    renew_days: int = Field(30, ge=1, le=365)
    """For how long an account that expires is renewed at a time."""
    expiry_reminder_days: tuple[Annotated[int, Field(ge=0, le=365)], ...] = (14, 7, 1)
    """Days before the expiry on which the owner is reminded."""

    @model_validator(mode="after")
    def _check(self) -> House:
        for what, names in (
            ("account_types", [t.name.casefold() for t in self.account_types]),
            ("extra_slots", [s.slot.casefold() for s in self.extra_slots]),
        ):
            if twice := {n for n in names if names.count(n) > 1}:
                raise ValueError(f"{what}: {', '.join(sorted(twice))} is there twice")
        reserved = {"accounttype", "rootemail", "accountou", "accountname", "ssoname"}
        if taken := [s.name for s in self.extra_slots if s.slot.casefold() in reserved]:
            raise ValueError(f"extra_slots: {taken[0]!r} is asked already")
        return self

    def account_type(self, name: str) -> AccountType | None:
        """Return the account type of that name, None if there is none."""
        return next((t for t in self.account_types if t.name.casefold() == name.casefold()), None)


DEFAULT = House(
    account_types=(
        AccountType(name="Production", synonyms=("prod", "live", "prd"), tier="production"),
        AccountType(name="Sandbox", synonyms=("playground", "sbx", "sand box", "test", "dev", "development")),
    ),
    suggested_ous=("Experiment", "Demos"),
)


def load_house(path: Path) -> House:
    """Read house.yml; raises SettingsError that names the entry at fault."""
    if not path.exists():
        return DEFAULT
    try:
        return House.model_validate(yaml.safe_load(read_text_of(path)) or {})
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is not YAML: {error}") from error
    except ValidationError as error:
        raise _fault(str(path), error) from error


def house_of(settings: Settings) -> House:
    """Return the house with what the settings say in its place; raises SettingsError that names the one at fault."""
    house = load_house(settings.house_file)
    known = {slot.slot: slot for slot in house.extra_slots}
    try:
        # What house.yml describes more closely keeps its description; the setting says which are asked, in order.
        named = tuple(known.get(s.slot, s) for s in (ExtraSlot(name=name) for name in settings.extra_slots))
        changes = {
            "root_email_domains": tuple(d.casefold().lstrip("@") for d in settings.root_email_domains)
            or house.root_email_domains,
            "account_name_pattern": settings.account_name_pattern or house.account_name_pattern,
            "extra_slots": named or house.extra_slots,
        }
        return House.model_validate({**{n: getattr(house, n) for n in House.model_fields}, **changes})
    except ValidationError as error:
        raise _fault("EXTRA_SLOTS or ACCOUNT_NAME_PATTERN", error) from error


def _fault(where: str, error: ValidationError) -> SettingsError:
    first = error.errors()[0]
    entry = ".".join(str(p) for p in first["loc"])
    return SettingsError(f"{where}: {entry + ': ' if entry else ''}{first['msg'].removeprefix('Value error, ')}.")
