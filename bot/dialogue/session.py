"""What is remembered between turns: the half-filled form, and those laid aside. Requests live elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import select, update

from bot.activity import Activity
from bot.clock import Clock
from bot.database import Database, Transaction
from bot.database.tables import sessions
from bot.errors import QuartermasterError
from bot.intent import Definition
from bot.rows import insert_new

IDLE = timedelta(hours=24)
PARKED = 3


class SessionMoved(QuartermasterError):
    """Another turn of the same conversation was recorded first; play the turn again."""


@dataclass
class Form:
    """One change being asked for. `asking` is the slot last asked, `digest` that of the plan last shown."""

    intent: str
    slots: dict[str, str] = field(default_factory=dict)
    asking: str = ""
    digest: str = ""
    tries: dict[str, int] = field(default_factory=dict)
    narrowed: dict[str, list[str]] = field(default_factory=dict)
    """The few values that an ambiguous answer could have meant, by slot: asked for instead of the usual ones."""
    offered: list[str] = field(default_factory=list)
    """What the open question suggested: said word for word it is the answer, whatever else it could mean."""
    secret: list[str] = field(default_factory=list)
    """Slots whose answers must not be stored; see `bot.withholding`."""

    def offered_answer(self, text: str) -> str:
        """Return the suggestion of the open question that a text is, letter case aside; empty when it is none."""
        said = text.strip(" .!").casefold() if self.asking else ""
        return next((o for o in self.offered if said and o.casefold() == said), "")

    def lex_state(self, definition: Definition, hints: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
        """Return the form as Lex's sessionState, so that any recogniser can go on with it."""
        slots: dict[str, Any] = {}
        for slot in definition.slots:
            # What is not filled is left out: Lex would take a null, but boto3 refuses to send one.
            if value := self.slots.get(slot.name):
                worth = {"originalValue": value, "interpretedValue": value, "resolvedValues": [value]}
                slots[slot.name] = {"shape": "Scalar", "value": worth}
        action: dict[str, Any] = {"type": "Delegate"}
        if self.digest:
            action = {"type": "ConfirmIntent"}
        elif self.asking:
            action = {"type": "ElicitSlot", "slotToElicit": self.asking}
        return {
            "dialogAction": action,
            "intent": {"name": self.intent, "slots": slots, "state": "InProgress", "confirmationState": "None"},
            "sessionAttributes": {},
            "runtimeHints": runtime_hints({self.intent: hints}),
        }


@dataclass
class Session:
    """One person's state in one conversation."""

    form: Form | None = None
    parked: list[Form] = field(default_factory=list)
    version: int = 0
    denied: str = ""
    """Why the person was refused just now, for them to ask about."""
    kept: dict[str, Any] = field(default_factory=dict)
    """What is Lex's own in its sessionState, see `bot.recognizer.Turn.kept`."""

    def park(self) -> None:
        """Lay the form aside, to be taken up with "continue"."""
        if self.form:
            self.form.tries = {}
            self.parked = [self.form, *(f for f in self.parked if f.intent != self.form.intent)][:PARKED]
            self.form = None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        forms = {"form": vars(self.form) if self.form else None, "parked": [vars(f) for f in self.parked]}
        more = {"kept": self.kept, "denied": self.denied}
        return {**forms, **{name: value for name, value in more.items() if value}}

    @staticmethod
    def from_dict(data: Mapping[str, Any], version: int) -> Session:
        """Rebuild a session from `as_dict`'s output."""
        form = Form(**data["form"]) if data["form"] else None
        parked, kept = [Form(**f) for f in data["parked"]], dict(data.get("kept") or {})
        return Session(form, parked, version, data.get("denied", ""), kept)


class Sessions:
    """Keeps sessions; a turn that lost a race is told by SessionMoved."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def load(self, activity: Activity) -> Session:
        """Return the person's session in the conversation; a new one after a day of silence."""
        query = select(sessions).where(
            sessions.c.conversation == activity.conversation, sessions.c.person_id == activity.person.id
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return Session()
        if self._clock.wall() - row.updated_at > IDLE:
            return Session(version=row.version)
        return Session.from_dict(row.state, row.version)

    async def save(self, transaction: Transaction, activity: Activity, session: Session) -> None:
        """Store the session; raises SessionMoved when another turn did so since it was loaded."""
        key = {"conversation": activity.conversation, "person_id": activity.person.id}
        values = {"state": session.as_dict(), "version": session.version + 1, "updated_at": self._clock.wall()}
        if session.version == 0:
            if await insert_new(transaction, sessions, {**key, **values}, on=["conversation", "person_id"]):
                return
            raise SessionMoved("The conversation has moved on.")
        result = await transaction.execute(
            update(sessions)
            .where(
                sessions.c.conversation == activity.conversation,
                sessions.c.person_id == activity.person.id,
                sessions.c.version == session.version,
            )
            .values(**values)
        )
        if result.rowcount != 1:
            raise SessionMoved("The conversation has moved on.")


def session_id(activity: Activity) -> str:
    """Return Lex's session id: 2–100 of [0-9a-zA-Z._:-], never an e-mail or login name."""
    material = f"{activity.conversation}\n{activity.person.id}".encode()
    return "qm-" + hashlib.sha256(material).hexdigest()[:48]


def runtime_hints(hints: Mapping[str, Mapping[str, tuple[str, ...]]]) -> dict[str, Any]:
    """Return values known only at run time as Lex's sessionState.runtimeHints (at most 100 phrases a slot)."""
    return {
        "slotHints": {
            intent: {
                slot: {"runtimeHintValues": [{"phrase": v[:140]} for v in values[:100]]}
                for slot, values in slots.items()
                if values
            }
            for intent, slots in hints.items()
        }
    }
