"""A person talking to the engine, and what the engine made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.lex.engine import Engine

ORGANIZATION = ("Sandbox", "Experiment", "Demos", "Workloads/Prod", "Workloads/Test", "Infrastructure")


def ou_hints(names: Sequence[str] = ORGANIZATION) -> dict[str, Any]:
    """Runtime hints for AccountOU, as a caller sends them."""
    phrases = [{"phrase": name} for name in names]
    return {"slotHints": {"AWSAccountVending": {"AccountOU": {"runtimeHintValues": phrases}}}}


class Person:
    """Talks in one session and keeps the last answer; the engine holds the session's state."""

    def __init__(self, engine: Engine, session_id: str, *, hints: Mapping[str, Any] | None = None) -> None:
        self._engine = engine
        self._session_id = session_id
        self._first_state: dict[str, Any] | None = {"sessionAttributes": {"UserName": "Ana"}}
        if hints is not None:
            self._first_state["runtimeHints"] = hints
        self.answer: dict[str, Any] = {}

    def says(self, text: str) -> Person:
        """Send one text; state goes with the first only."""
        self.answer = self._engine.recognize_text(
            session_id=self._session_id, text=text, session_state=self._first_state
        )
        self._first_state = None
        return self

    @property
    def intent(self) -> str:
        return str(self.answer["sessionState"]["intent"]["name"])

    @property
    def outcome(self) -> tuple[str, str]:
        """The intent's state and confirmation."""
        intent = self.answer["sessionState"]["intent"]
        return intent["state"], intent["confirmationState"]

    @property
    def asked(self) -> str:
        """The slot asked for, or the type of the dialogue's action."""
        action = self.answer["sessionState"]["dialogAction"]
        return str(action.get("slotToElicit") or action["type"])

    @property
    def slots(self) -> dict[str, str]:
        """Interpreted values of the filled slots."""
        slots = self.answer["sessionState"]["intent"]["slots"]
        return {name: slot["value"]["interpretedValue"] for name, slot in slots.items() if slot}

    @property
    def heard(self) -> str:
        """Everything the engine said, on one line."""
        return " ".join(message["content"] for message in self.answer.get("messages", ()))
