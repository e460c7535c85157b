"""Understanding, in Lex V2's own terms: a session and a text in, interpretations and slots out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from bot.metrics import RECOGNISE_SECONDS

log = structlog.get_logger(__name__)

FALLBACK = "FallbackIntent"
RESERVED = "x-amz-lex:"
"""How attributes begin that are Lex's own: they are handed back as they came, and none is made by us."""


@dataclass(frozen=True)
class Turn:
    """What a recogniser made of one text. `slots` are resolved values; `empty` names slots given back without one.

    `confirmation` is Lex's confirmationState. `confidence` is 0 to 1, comparable within one turn only.
    """

    intent: str
    slots: Mapping[str, str] = field(default_factory=dict)
    empty: frozenset[str] = frozenset()
    confirmation: str = "None"
    confidence: float = 0.0
    alternatives: tuple[tuple[str, float], ...] = ()
    readings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The slots that a text would fill in each alternative that was read for them."""
    kept: Mapping[str, Any] = field(default_factory=dict)
    """Parts of sessionState that are Lex's own, to be given back with the next turn whoever understands it."""

    @property
    def is_fallback(self) -> bool:
        """Whether nothing was understood."""
        return self.intent in ("", FALLBACK)


class Recognizer(Protocol):
    """Understands one text; holds no state of ours: `session_state` is Lex's sessionState, given each time."""

    name: str

    async def recognize(self, session_id: str, text: str, session_state: Mapping[str, Any]) -> Turn:
        """Return what the text means. Raises QuartermasterError when it can't tell (not: fallback)."""
        ...


class WithFallback:
    """Asks one recogniser, and another when the first fails or takes too long; the log says so.

    The first is given up, not awaited: a turn is never played twice on it.
    """

    def __init__(self, first: Recognizer, second: Recognizer, timeout: float) -> None:
        self._first, self._second, self._timeout = first, second, timeout
        self.name = f"{first.name}, else {second.name}"
        self.answered_by = ""

    async def recognize(self, session_id: str, text: str, session_state: Mapping[str, Any]) -> Turn:
        """Return the first's answer, or the second's."""
        try:
            async with asyncio.timeout(self._timeout):
                turn = await self._first.recognize(session_id, text, session_state)
            self.answered_by = self._first.name
            return turn
        except TimeoutError:
            reason = f"no answer in {self._timeout:g} s"
        except Exception as error:
            reason = f"{type(error).__name__}: {error}"
        log.warning("recogniser.fell_back", first=self._first.name, second=self._second.name, reason=reason)
        self.answered_by = self._second.name
        return await self._second.recognize(session_id, text, session_state)


class Timed:
    """Measures another recogniser."""

    def __init__(self, inner: Recognizer) -> None:
        self._inner, self.name = inner, inner.name

    async def recognize(self, session_id: str, text: str, session_state: Mapping[str, Any]) -> Turn:
        """Pass on, and observe the time taken."""
        begun = time.perf_counter()
        try:
            return await self._inner.recognize(session_id, text, session_state)
        finally:
            RECOGNISE_SECONDS.labels(self.name).observe(time.perf_counter() - begun)


def turn_of(response: Mapping[str, Any]) -> Turn:
    """Return the Turn in a RecognizeText response; every field of it is optional."""
    state = response.get("sessionState") or {}
    intent = state.get("intent") or {}
    interpretations = [entry for entry in response.get("interpretations") or [] if entry]
    if not intent and interpretations:
        intent = interpretations[0].get("intent") or {}
    slots, empty = _filled_and_empty(intent)
    scores = tuple(
        (
            str((i.get("intent") or {}).get("name") or ""),
            float((i.get("nluConfidence") or {}).get("score") or 0.0),
        )
        for i in interpretations
    )
    confidence = next((s for n, s in scores if n == intent.get("name")), 0.0)
    return Turn(
        intent=str(intent.get("name") or ""),
        slots=slots,
        empty=empty,
        confirmation=str(intent.get("confirmationState") or "None"),
        confidence=confidence,
        alternatives=tuple(s for s in scores if s[0] != intent.get("name")),
        readings={
            str(other.get("name")): found
            for i in interpretations
            if (other := i.get("intent") or {}).get("name") != intent.get("name")
            and (found := _filled_and_empty(other)[0])
        },
        kept=_kept(state),
    )


def _filled_and_empty(intent: Mapping[str, Any]) -> tuple[dict[str, str], frozenset[str]]:
    """Return the slots of an intent that have a value, and the names of the others."""
    slots = {name: _value(slot or {}) for name, slot in (intent.get("slots") or {}).items()}
    return {name: text for name, text in slots.items() if text}, frozenset(n for n, text in slots.items() if not text)


def _value(slot: Mapping[str, Any]) -> str:
    """Return the best reading of a slot; of several values the first."""
    several = slot.get("values") or []
    value = slot.get("value") or ((several[0] if several else None) or {}).get("value") or {}
    resolved = value.get("resolvedValues") or []
    return str((resolved[0] if resolved else "") or value.get("interpretedValue") or value.get("originalValue") or "")


def _kept(state: Mapping[str, Any]) -> dict[str, Any]:
    attributes = state.get("sessionAttributes") or {}
    own = {name: value for name, value in attributes.items() if name.startswith(RESERVED)}
    contexts = state.get("activeContexts") or []
    return {**({"sessionAttributes": own} if own else {}), **({"activeContexts": contexts} if contexts else {})}
