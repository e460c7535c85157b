"""Lex V2's RecognizeText, in-process."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters.lex.engine.compiled import CompiledBot, Ranked, compile_bot
from adapters.lex.engine.dialog import Outcome, Turn, active_form
from adapters.lex.engine.errors import ValidationException
from adapters.lex.engine.form import Form
from adapters.lex.engine.sessions import Session, SessionStore
from adapters.lex.engine.text import clean

_SESSION_ID = re.compile(r"[0-9a-zA-Z._:-]{2,100}")
_LONGEST_TEXT = 1_024
_MOST_INTERPRETATIONS = 5
_MOST_CONTEXTS = 20
_MOST_SESSIONS = 10_000
_DEFAULT_IDLE_SECONDS = 300.0
_WORTH_READING = 0.05
_ACTIONS = frozenset({"Close", "ConfirmIntent", "Delegate", "ElicitIntent", "ElicitSlot", "None"})


class Engine:
    """One bot locale that understands text; thread-safe and deterministic.

    `definition` is a locale in lexv2-models' shapes (botName, localeId, nluIntentConfidenceThreshold,
    slotTypes, intents). Compiling is cached by the definition's content, and what is learnt
    from it is kept in the folder `kept` between processes. `idleSessionTTLInSeconds` (Lex's bot
    setting, 300 by default) bounds how long a conversation is remembered for callers that send no state.

    Raises DefinitionError when the definition cannot be compiled.
    """

    def __init__(self, definition: Mapping[str, Any], kept: Path | None = None) -> None:
        self.compiled: CompiledBot = compile_bot(definition, kept)
        idle_seconds = float(definition.get("idleSessionTTLInSeconds") or _DEFAULT_IDLE_SECONDS)
        self._sessions = SessionStore(idle_seconds=idle_seconds, limit=_MOST_SESSIONS)

    def recognize_text(
        self,
        *,
        session_id: str,
        text: str,
        session_state: Mapping[str, Any] | None = None,
        request_attributes: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Play one turn and answer in RecognizeText's response shape.

        `session_state` is RecognizeText's: an intent or dialogAction in it replaces the engine's own; a map
        of sessionAttributes replaces the old one, an omitted one keeps it, `{}` erases it; activeContexts
        and runtimeHints likewise. A dialogAction without an intent drops the form under way.

        Raises ValidationException for a text outside 1..1024 characters, a malformed session id, or a session
        state that names an intent, slot or action which the bot does not have.
        """
        if not 1 <= len(text) <= _LONGEST_TEXT:
            raise ValidationException(f"text must have 1 to {_LONGEST_TEXT} characters, not {len(text)}")
        if _SESSION_ID.fullmatch(session_id) is None:
            raise ValidationException("sessionId must be 2 to 100 characters of [0-9a-zA-Z._:-]")
        session = self._join(self._sessions.get(session_id), session_state or {})
        cleaned = clean(text)
        contexts = frozenset(str(context.get("name")) for context in session.active_contexts)
        turn = Turn(self.compiled, session, cleaned, self.compiled.rank(cleaned, contexts))
        outcome = turn.take()
        after = replace(
            session,
            intent=outcome.form.to_wire(),
            dialog_action=outcome.dialog_action,
            misses=outcome.misses,
        )
        self._sessions.put(session_id, after)
        response: dict[str, Any] = {
            "sessionId": session_id,
            "sessionState": _session_state(after, session_state or {}),
            "interpretations": self._interpretations(turn, outcome),
            "requestAttributes": dict(request_attributes or {}),
        }
        messages = outcome.messages(session.attributes)
        if messages:
            response["messages"] = messages
        return response

    def _join(self, stored: Session, given: Mapping[str, Any]) -> Session:
        session = stored
        if given.get("sessionAttributes") is not None:
            session = replace(session, attributes=dict(given["sessionAttributes"]))
        if given.get("activeContexts") is not None:
            session = replace(session, active_contexts=tuple(given["activeContexts"])[:_MOST_CONTEXTS])
        if given.get("runtimeHints") is not None:
            session = replace(session, hints=given["runtimeHints"])
        if "intent" not in given and "dialogAction" not in given:
            return session
        action = given.get("dialogAction") or {"type": "Delegate" if given.get("intent") else "None"}
        self._check(given.get("intent"), action)
        same_question = action.get("type") == stored.dialog_action.get("type") and action.get(
            "slotToElicit"
        ) == stored.dialog_action.get("slotToElicit")
        same_intent = (given.get("intent") or {}).get("name") == (stored.intent or {}).get("name")
        return replace(
            session,
            intent=given.get("intent"),
            dialog_action=dict(action),
            misses=stored.misses if same_question and same_intent else 0,
        )

    def _check(self, intent: Mapping[str, Any] | None, action: Mapping[str, Any]) -> None:
        if action.get("type") not in _ACTIONS:
            raise ValidationException(f"dialogAction type {action.get('type')!r} is none of {sorted(_ACTIONS)}")
        if intent is None:
            return
        known = self.compiled.bot.intent(str(intent.get("name")))
        if known is None:
            raise ValidationException(f"the bot has no intent {intent.get('name')!r}")
        slot = action.get("slotToElicit")
        if action.get("type") == "ElicitSlot" and known.slot(str(slot)) is None:
            raise ValidationException(f"intent {known.name} has no slot {slot!r} to elicit")

    def _interpretations(self, turn: Turn, outcome: Outcome) -> list[dict[str, Any]]:
        """At most five, the chosen one first; FallbackIntent stands ahead of what is below the threshold."""
        scores = {entry.intent.name: entry.score for entry in turn.ranking}
        chosen = outcome.form
        continues = active_form(self.compiled, turn.session)
        held = continues is not None and continues.intent is chosen.intent
        first_score = max(scores.get(chosen.intent.name, 0.0), 1.0 if held else 0.0)
        listed = [_interpretation(chosen, None if chosen.intent.is_fallback else first_score)]
        others: Sequence[Ranked] = [entry for entry in turn.ranking if entry.intent is not chosen.intent]
        fallback_listed = chosen.intent.is_fallback
        for entry in others:
            if not fallback_listed and entry.score < self.compiled.bot.threshold:
                listed.append(_interpretation(Form.empty(self.compiled.bot.fallback), None))
                fallback_listed = True
            form = Form.empty(entry.intent)
            if entry.score >= _WORTH_READING:
                form = form.with_fills(turn.fills(form, elicited=None))
            listed.append(_interpretation(form, entry.score))
        if not fallback_listed:
            listed.append(_interpretation(Form.empty(self.compiled.bot.fallback), None))
        return listed[:_MOST_INTERPRETATIONS]


def _interpretation(form: Form, score: float | None) -> dict[str, Any]:
    interpretation: dict[str, Any] = {"intent": form.to_wire(), "interpretationSource": "Lex"}
    if score is not None:
        interpretation["nluConfidence"] = {"score": round(score, 4)}
    return interpretation


def _session_state(session: Session, given: Mapping[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = {
        "dialogAction": dict(session.dialog_action),
        "intent": session.intent,
        "sessionAttributes": dict(session.attributes),
    }
    if session.active_contexts:
        state["activeContexts"] = [dict(context) for context in session.active_contexts]
    if given.get("originatingRequestId"):
        state["originatingRequestId"] = given["originatingRequestId"]
    return state
