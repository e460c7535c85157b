"""The JSON that callers send and get."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from adapters.rest.fields import (
    ConversationName,
    Email,
    Name,
    PressedValue,
    PressedVerb,
    Reason,
    RequiredName,
    Utterance,
)
from bot.card import Card
from bot.requests import STATES


def _not_null(value: object) -> object:
    if value is None:
        raise ValueError("must not be null; leave it out instead")
    return value


NotNull = BeforeValidator(_not_null)


class _Sent(BaseModel):
    """What callers send: unknown fields are ignored and go nowhere."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class AccountCall(_Sent):
    """The call of the original bot."""

    UserEmail: Email
    UserName: RequiredName
    UserLastname: Annotated[Name, Field(description="May be empty.", examples=["TestUser-Lastname"])]
    UserInput: Utterance


class User(_Sent):
    """The person for whom the caller speaks."""

    email: Email
    name: Name = ""
    given_name: Name = ""
    family_name: Name = ""


class Press(_Sent):
    """A button that was pressed, as its card gave it."""

    verb: PressedVerb
    value: PressedValue = ""


def _say_what_may_be_left_out(schema: dict[str, Any]) -> None:
    """Document fields that default to None as what they are when they are there: null is refused."""
    for name, described in schema["properties"].items():
        if described.get("default", "") is None:
            kinds = [kind for kind in described["anyOf"] if kind != {"type": "null"}]
            schema["properties"][name] = kinds[0]


def _one_of_text_and_press(schema: dict[str, Any]) -> None:
    _say_what_may_be_left_out(schema)
    schema["oneOf"] = [{"required": ["text"]}, {"required": ["press"]}]


class MessageCall(_Sent):
    """One turn: either a text or a pressed button."""

    model_config = ConfigDict(json_schema_extra=_one_of_text_and_press)

    user: User
    conversation: Annotated[ConversationName | None, NotNull] = None
    text: Annotated[Utterance | None, NotNull] = None
    press: Annotated[Press | None, NotNull] = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.text is None) == (self.press is None):
            raise ValueError("needs either text or press, and not both")
        return self


class CancelCall(_Sent):
    """Who cancels, and why; the requester when nobody is named."""

    model_config = ConfigDict(json_schema_extra=_say_what_may_be_left_out)

    user: Annotated[User | None, NotNull] = None
    reason: Reason = ""


class RequestMark(BaseModel):
    """The request that a turn was about, and its state."""

    id: str = Field(examples=["qm-7k3m9qxa"])
    state: str = Field(json_schema_extra={"enum": list(STATES)})


class Said(BaseModel):
    """One answer of the bot's; a card's buttons can be pressed through POST /v1/messages."""

    text: str
    card: Card | None


class AccountAnswer(BaseModel):
    """The answer of the original bot, the request, and where later news will be."""

    response: str = Field(examples=["Hi TestUser-Name, what account type do you want? Production or Sandbox?"])
    initial_params: str = Field(alias="initial-params", description="The body as it was posted.")
    request: RequestMark | None
    conversation: str


class MessageAnswer(BaseModel):
    """What the bot says to one turn."""

    conversation: str
    messages: Sequence[Said]
    request: RequestMark | None


class Told(BaseModel):
    """Something the bot said."""

    seq: int
    role: str
    text: str
    card: Card | None
    at: str = Field(json_schema_extra={"format": "date-time"})


class Transcript(BaseModel):
    """What the bot said, oldest first; ask again with `after` = the last `seq` until nothing comes."""

    messages: Sequence[Told]


class ApprovalView(BaseModel):
    """One approver's part."""

    approver: str
    decision: str | None
    reason: str | None
    at: str | None
    version: int


class StepView(BaseModel):
    """One step of the work."""

    name: str
    state: str
    attempts: int
    error: str | None
    aws_request_ids: list[str]


class RequestView(BaseModel):
    """A request as it stands."""

    model_config = ConfigDict(extra="allow")

    id: str
    intent: str
    state: str = Field(json_schema_extra={"enum": list(STATES)})
    requester: str
    slots: dict[str, Any]
    plan: dict[str, Any]
    digest: str
    version: int
    approvals: Sequence[ApprovalView]
    steps: Sequence[StepView]
    outcome: dict[str, Any] | None
    expires_at: str | None
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    updated_at: str = Field(json_schema_extra={"format": "date-time"})


class RequestPage(BaseModel):
    """Requests, newest first; `next_cursor` is null on the last page."""

    requests: Sequence[RequestView]
    next_cursor: str | None


class InsightView(BaseModel):
    """An insight; one alone also has its anomalies, events and recommendations."""

    model_config = ConfigDict(extra="allow")

    id: str
    account: dict[str, str]
    ou: str
    region: str
    name: str
    severity: str = Field(json_schema_extra={"enum": ["high", "medium", "low"]})
    kind: str = Field(json_schema_extra={"enum": ["reactive", "proactive"]})
    status: str = Field(json_schema_extra={"enum": ["open", "closed"]})
    start: str = Field(json_schema_extra={"format": "date-time"})
    end: str | None
    predicted_at: str | None
    source: str


class InsightPage(BaseModel):
    """Insights, gravest and newest first; `missing` says what could not be looked at.

    `unwatched` says, when nothing was found, where nobody watches.
    """

    insights: Sequence[InsightView]
    total: int
    sources: Sequence[str]
    missing: Sequence[str]
    unwatched: Sequence[str]
    next_cursor: str | None


class AuditEntry(BaseModel):
    """One row of the record; `hash` is empty until the row is sealed into the chain."""

    id: int
    at: str = Field(json_schema_extra={"format": "date-time"})
    kind: str
    person: str
    request: str
    payload: dict[str, Any]
    digest: str
    hash: str


class AuditPage(BaseModel):
    """Entries, newest first; `next_cursor` is null on the last page."""

    entries: Sequence[AuditEntry]
    next_cursor: str | None
