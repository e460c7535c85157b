"""The rules of the house: account types, OUs, questions and habits, read from house.yml.

A file that is missing means the defaults. The settings ROOT_EMAIL_DOMAINS, ACCOUNT_NAME_PATTERN and EXTRA_SLOTS
go before what the file says. `docs/house.schema.json` is the file's JSON Schema (a test keeps it in step).
"""

from __future__ import annotations

import re
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot import tags
from bot.directory_file import checked_address, load_yaml, read_text_of
from bot.errors import SettingsError
from bot.settings import Settings

TAG_TEXT = re.compile(r"[\w .:/=+@-]*")
"""What keys and values of tags may hold (Organizations)."""
OURS = frozenset((tags.REQUEST, tags.ACCOUNT_TYPE, tags.EXPIRES))
"""Tags that we set ourselves: no answer and no account type sets them."""


def _checked_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    return text


def _checked_approver(text: str) -> str:
    return text if text.startswith("group:") else checked_address(text)


def _checked_domain(text: str) -> str:
    domain = text.strip().casefold().lstrip("@")
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", domain):
        raise ValueError(f"{text!r} is not a domain, such as corp.example")
    return domain


def _checked_tag(text: str) -> str:
    if not TAG_TEXT.fullmatch(text) or text.casefold().startswith("aws:"):
        raise ValueError(
            f"{text!r} can't be a tag: letters, digits, blanks and . : / = + @ _ - are allowed, aws: is not"
        )
    return text


Domain = Annotated[str, AfterValidator(_checked_domain)]
TagKey = Annotated[str, Field(min_length=1, max_length=128), AfterValidator(_checked_tag)]
TagValue = Annotated[str, Field(max_length=256), AfterValidator(_checked_tag)]
Address = Annotated[str, AfterValidator(checked_address)]
Pattern = Annotated[str, AfterValidator(_checked_pattern)]
Approver = Annotated[str, AfterValidator(_checked_approver)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


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

    name: Annotated[str, Field(min_length=1, max_length=40), AfterValidator(_checked_tag)]
    synonyms: tuple[str, ...] = ()
    tier: Literal["standard", "production"] = "standard"
    ous: tuple[str, ...] = ()
    """OUs by path that such accounts may go into; any registered one when empty."""
    approvers: tuple[Approver, ...] = ()
    """Asked instead of whom directory.yml or APPROVERS name; addresses, or group:name."""
    budget: Budget | None = None
    expires_days: int | None = Field(None, ge=1, le=3650)
    """Days after which such an account is due to be closed, unless it is renewed."""
    access: tuple[Access, ...] = Field((), max_length=20)
    contacts: Contacts = Contacts()
    tags: dict[TagKey, TagValue] = Field(default_factory=dict, max_length=30)
    """More tags for the account, beside owner, cost centre and request id."""
    baseline: bool = True
    """Whether Control Tower's baseline, the OU's controls, CloudTrail and Config are looked at before it is ready."""

    @model_validator(mode="after")
    def _check(self) -> AccountType:
        if taken := OURS & {key.casefold() for key in self.tags}:
            raise ValueError(f"tags: {min(taken)} is set by Quartermaster itself")
        return self


class ExtraSlot(_Entry):
    """One more thing to ask before an account is ordered; its answer becomes a tag."""

    name: str = Field(min_length=1, max_length=60)
    prompt: str = ""
    kind: Literal["text", "email", "choice", "number"] = "text"
    """What is an answer. Who answers for an account (tag owner) is an e-mail address, also when this is left out."""
    choices: tuple[str, ...] = ()
    pattern: Pattern = ""
    hint: str = ""
    """What an answer that does not fit the pattern is told."""
    tag: Annotated[str, Field(max_length=128), AfterValidator(_checked_tag)] = ""
    """Key of the tag; the name in lower case with hyphens when empty."""
    required: bool = True
    """Whether it is asked; what is not required is taken when somebody says it unasked."""

    @property
    def slot(self) -> str:
        """The slot's name: CostCentre for “cost centre”."""
        words = re.split(r"[^A-Za-z0-9]+", self.name.strip())
        return "".join(word[:1].upper() + word[1:] for word in words if word) or "Extra"

    @property
    def tag_key(self) -> str:
        """The key of the account's tag."""
        return self.tag or re.sub(r"[^a-z0-9]+", "-", self.name.casefold()).strip("-")

    @model_validator(mode="before")
    @classmethod
    def _address_of_owner(cls, given: Any) -> Any:
        if isinstance(given, dict) and "kind" not in given:
            named = str(given.get("tag") or given.get("name", "")).strip()
            return {**given, "kind": "email"} if named.casefold() == tags.OWNER else given
        return given

    @model_validator(mode="after")
    def _check(self) -> ExtraSlot:
        if self.kind == "choice" and not self.choices:
            raise ValueError("kind: choice needs choices")
        if unfit := [c for c in self.choices if not TAG_TEXT.fullmatch(c) or not 0 < len(c) <= 256]:
            raise ValueError(f"choices: {unfit[0]!r} can't be the value of a tag")
        if not self.tag_key or self.tag_key.casefold() in OURS:
            raise ValueError(f"tag: {self.tag_key!r} is set by Quartermaster itself, or empty")
        if self.tag_key == tags.OWNER and self.kind != "email":
            raise ValueError("kind: whoever answers for an account is known by an address, so this must be email")
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", self.slot):
            raise ValueError(f"name: {self.name!r} must begin with a letter")
        return self


class Freeze(_Entry):
    """A time in which nothing is to be tried on, or rolled out to, some stacks."""

    name: str = Field(min_length=1, max_length=80)
    since: datetime
    until: datetime
    stacks: tuple[Annotated[str, Field(min_length=1, max_length=128)], ...] = ()
    """Names of stacks, * for any letters; all when empty."""

    def holds(self, stack: str, at: datetime) -> bool:
        """Tell whether a stack is frozen then."""
        return self.since <= at < self.until and any(fnmatchcase(stack, s) for s in self.stacks or ("*",))

    @model_validator(mode="after")
    def _check(self) -> Freeze:
        if self.since.tzinfo is None or self.until.tzinfo is None:
            raise ValueError("since and until need an offset, such as 2026-12-18T00:00:00+01:00")
        if self.since >= self.until:
            raise ValueError("since must come before until")
        return self


class House(_Entry):
    """What the house allows."""

    account_types: tuple[AccountType, ...] = Field(min_length=1)
    suggested_ous: tuple[str, ...] = ()
    """OUs that the question names; others of the organization are accepted too."""
    excluded_ous: tuple[str, ...] = ("Security",)
    """OUs that nobody may vend into, by name or path, with everything below them."""
    product_name: str = "AWS Control Tower Account Factory"
    root_email_domains: tuple[Domain, ...] = ()
    """Domains that root addresses may have; any when empty. Subdomains are named on their own."""
    account_name_pattern: Pattern = ""
    """Regular expression that a whole account name must match."""
    account_name_hint: str = ""
    """What names look like, in words for people who gave one that does not match."""
    extra_slots: tuple[ExtraSlot, ...] = Field((), max_length=10)
    """Asked after the account type, root address and OU, in this order."""
    ask_names: Literal["missing", "incomplete", "never"] = "missing"
    """When to ask for the first sign-in's names: when the channel gives none, also when it gives one word, or never."""
    renew_days: int = Field(30, ge=1, le=365)
    """For how long an account that expires is renewed at a time."""
    expiry_reminder_days: tuple[Annotated[int, Field(ge=0, le=365)], ...] = (14, 7, 1)
    """Days before the expiry on which the owner is reminded."""

    freezes: tuple[Freeze, ...] = Field((), max_length=100)
    """Times in which nothing is tried on some stacks, or all of them."""

    def freeze_at(self, moment: datetime) -> str:
        """Return the name of the freeze of everything that holds then, empty when none does."""
        return next((f.name for f in self.freezes if not f.stacks and f.since <= moment < f.until), "")

    def freeze_named(self, stack: str, moment: datetime) -> str:
        """Return the name of the freeze that holds for a stack then, empty when none does."""
        freeze = self.freeze_of(stack, moment)
        return freeze.name if freeze else ""

    def freeze_of(self, stack: str, at: datetime) -> Freeze | None:
        """Return the freeze that holds for a stack then, if there is one."""
        return next((f for f in self.freezes if f.holds(stack, at)), None)

    @model_validator(mode="after")
    def _check(self) -> House:
        for what, names in (
            ("account_types", [t.name.casefold() for t in self.account_types]),
            ("extra_slots", [s.slot.casefold() for s in self.extra_slots]),
            ("extra_slots: the tag", [s.tag_key.casefold() for s in self.extra_slots]),
        ):
            if twice := {n for n in names if names.count(n) > 1}:
                raise ValueError(f"{what}: {', '.join(sorted(twice))} is there twice")
        reserved = {"accounttype", "rootemail", "accountou", "accountname", "ssouser"}
        if taken := [s.name for s in self.extra_slots if s.slot.casefold() in reserved]:
            raise ValueError(f"extra_slots: {taken[0]!r} is asked already")
        return self

    @property
    def environments(self) -> dict[str, tuple[str, str]]:
        """The account types as policies know them: by case-folded name and synonym, the name and the tier."""
        named = ((word, kind) for kind in self.account_types for word in (kind.name, *kind.synonyms))
        return {word.casefold(): (kind.name, kind.tier) for word, kind in named}

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
        return House.model_validate(load_yaml(read_text_of(path)) or {})
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
            "root_email_domains": settings.root_email_domains or house.root_email_domains,
            "account_name_pattern": settings.account_name_pattern or house.account_name_pattern,
            "extra_slots": named or house.extra_slots,
        }
        return House.model_validate({**{n: getattr(house, n) for n in House.model_fields}, **changes})
    except ValidationError as error:
        raise _fault("ROOT_EMAIL_DOMAINS, ACCOUNT_NAME_PATTERN or EXTRA_SLOTS", error) from error


def _fault(where: str, error: ValidationError) -> SettingsError:
    first = error.errors()[0]
    entry = ".".join(str(p) for p in first["loc"])
    return SettingsError(f"{where}: {entry + ': ' if entry else ''}{first['msg'].removeprefix('Value error, ')}.")
