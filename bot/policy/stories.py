"""Table tests of policies: who, what, when, and what is to be decided. Written in YAML, beside the policies."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from bot.activity import Person
from bot.directory import Directory
from bot.directory_file import checked_address, read_text_of
from bot.errors import SettingsError
from bot.intent import Definition
from bot.policy.deciding import Policy
from bot.policy.model import Decision, Subject
from bot.policy.surroundings import Circumstances, Surroundings

Address = Annotated[str, AfterValidator(checked_address)]
Action = Literal[
    "ask",
    "require",
    "see",
    "approve",
    "cancel",
    "stop",
    "steer",
    "override",
    "break-glass",
    "review",
    "delegate",
    "delegate-for",
    "audit",
    "pause",
    "revoke",
]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class When(_Part):
    """The circumstances of a story; a quiet Wednesday morning unless it says otherwise."""

    channel: str = "console"
    hour: int = Field(11, ge=0, le=23)
    weekday: Literal["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] = "Wed"
    working: bool = True
    freeze: str = ""
    stack_freezes: dict[str, str] = Field(default_factory=dict)
    """Names of freezes by the stack that each holds for."""


class Asked(_Part):
    """The request that a story is about."""

    intent: str = "AWSAccountVending"
    tier: str = "standard"
    requester: Address
    approvers: tuple[Address, ...] = ()
    values: dict[str, str] = Field(default_factory=dict)
    account: str = ""
    monthly_usd: int = Field(0, ge=0)
    stacks: tuple[str, ...] = ()


class Demanded(_Part):
    """What a story on "require" expects."""

    approvals: int
    of: tuple[str, ...] = ()
    sign_in: int = 0


class Story(_Part):
    """One row of the table."""

    story: str
    who: Address
    does: Action
    what: str = ""
    """The intent that is asked for, the person who is to stand in, or whose audit is read."""
    shape: Literal["query", "change", "watch"] = "change"
    request: Asked | None = None
    values: dict[str, str] = Field(default_factory=dict)
    when: When = When()
    signs_in: bool = False
    expect: Literal["allowed", "refused"] | Demanded
    by: str = ""
    """The policy that decides; any when empty."""


class Table(_Part):
    """A whole file: groups by person, and the stories."""

    people: dict[Address, tuple[str, ...]] = Field(default_factory=dict)
    stories: tuple[Story, ...] = Field(min_length=1)


def read_table(path: Path) -> Table:
    """Return a file of stories; raises SettingsError for one that can't be used."""
    text = read_text_of(path)
    try:
        return Table.model_validate(yaml.safe_load(text) or {})
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is not YAML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise SettingsError(f"{path}: {where}: {first['msg']}.") from error


def tell(table: Table, folder: Path, environments: Mapping[str, tuple[str, str]]) -> list[str]:
    """Return what each story that does not come out as told has come to instead; empty when all hold."""
    directory = Directory.of_people(table.people)
    surroundings = Surroundings(environments=environments)
    policies = {signs_in: Policy(folder, directory, surroundings, signs_in=signs_in) for signs_in in (False, True)}
    found = (_played(story, policies[story.signs_in]) for story in table.stories)
    return [fault for fault in found if fault]


def _played(story: Story, policy: Policy) -> str:
    when, frozen = story.when, story.when.stack_freezes
    now = Circumstances(when.hour, when.weekday, when.working, when.freeze, lambda s: frozen.get(s, when.freeze))
    policy.surroundings = Surroundings(environments=policy.surroundings.environments, always=now)
    if story.does == "require":
        requirement = policy.requirement(_subject(story))
        parts = [p for p in requirement.parts if p.seats]
        came = Demanded(
            approvals=max((len(p.seats) for p in parts), default=0), of=requirement.names, sign_in=requirement.sign_in
        )
        return "" if came == story.expect else f"{story.story}: it takes {requirement.words or 'nobody'}."
    decision = _decided(story, policy)
    came_out = "allowed" if decision.allowed else "refused"
    if came_out != story.expect:
        return f"{story.story}: {came_out}, by {decision.policy or 'no policy'}: {decision.reason}"
    if story.by and decision.policy != story.by:
        return f"{story.story}: {came_out} as told, but by {decision.policy or 'no policy'}, not by {story.by}."
    return ""


def _decided(story: Story, policy: Policy) -> Decision:
    who, channel = Person("", story.who), story.when.channel
    match story.does:
        case "ask":
            definition = Definition(story.what, story.what, "", ())
            return policy.may_ask(who, definition, story.shape, story.values, channel=channel)
        case "delegate":
            return policy.may_delegate(who, story.what, channel=channel)
        case "delegate-for":
            return policy.may_delegate_for(who, story.what, channel=channel)
        case "audit":
            return policy.may_audit(who, story.what)
        case "pause":
            return policy.may_pause(who)
        case "revoke":
            return policy.may_revoke_keys(who)
        case action:
            return policy.may(who, action, _subject(story), channel=channel)


def _subject(story: Story) -> Subject:
    asked = story.request or Asked(requester=story.who, intent=story.what or "AWSAccountVending", values=story.values)
    told: dict[str, Any] = asked.model_dump()
    return Subject(id="qm-22222222", **told)
