"""Amazon Lex V2 runtime: conversations, understood by the local engine."""

from __future__ import annotations

import base64
import gzip
import json
from contextlib import AbstractContextManager
from typing import Any

from sandbox.errors import AwsError
from sandbox.lex_bots import ServedBot, find_served, recognize
from sandbox.lex_sessions import LexSession
from sandbox.registry import Context, Parameters, Service, serve

operation = serve(Service("lexv2-runtime", signing_name="lex", throttled_status=429, denied_status=403))


def _conversing(context: Context, parameters: Parameters) -> AbstractContextManager[None]:
    alias = parameters["botAliasId"]
    return context.world.lex_sessions.conversing(f"{parameters['botId']}/{alias}", alias, context.operation)


@operation("RecognizeText", locked=False, within=_conversing)
def recognize_text(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What the bot makes of a text; the same turn sent again is played again, as in Lex."""
    bot, key = _bot(context, parameters)
    session = _session(context, bot, key) or LexSession()
    given = parameters.get("sessionState") or {}
    answer = recognize(
        context.world,
        bot,
        session_id=session.engine_id,
        text=parameters["text"],
        session_state=session.joined(given),
        request_attributes=parameters.get("requestAttributes"),
    )
    hints = given.get("runtimeHints", session.state.get("runtimeHints"))
    session.state = {**answer["sessionState"], **({"runtimeHints": hints} if hints else {})}
    session.messages, session.interpretations = answer.get("messages", []), answer["interpretations"]
    context.world.lex_sessions.keep(key, session, context.now)
    return {**answer, "sessionId": parameters["sessionId"]}


@operation("GetSession", locked=False, within=_conversing)
def get_session(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Where a conversation stands; ResourceNotFoundException when there is none."""
    bot, key = _bot(context, parameters)
    session = _session(context, bot, key)
    if session is None:
        raise AwsError("ResourceNotFoundException", f"There is no session {parameters['sessionId']}.")
    return {
        "sessionId": parameters["sessionId"],
        "messages": session.messages,
        "interpretations": session.interpretations or [{"intent": session.state["intent"]}]
        if session.state.get("intent")
        else session.interpretations,
        "sessionState": session.state,
    }


@operation("PutSession", locked=False, within=_conversing)
def put_session(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Begin a conversation at a given state, or take one there; the answer's parts are gzipped JSON in base64."""
    bot, key = _bot(context, parameters)
    given = parameters["sessionState"]
    _check_intent(bot, context, given)
    session = _session(context, bot, key) or LexSession()
    session.state = session.joined(given)
    # A state that was put is as good as new to the engine: no answers have missed its question yet.
    session = LexSession(session.state, list(parameters.get("messages") or []))
    context.world.lex_sessions.keep(key, session, context.now)
    shown = {
        "contentType": "text/plain;charset=utf-8",
        "sessionId": parameters["sessionId"],
        "sessionState": _packed(session.state),
        "requestAttributes": _packed(parameters.get("requestAttributes") or {}),
        "audioStream": b"",
    }
    return {**shown, **({"messages": _packed(session.messages)} if session.messages else {})}


@operation("DeleteSession", locked=False, within=_conversing)
def delete_session(context: Context, parameters: Parameters) -> dict[str, Any]:
    """End a conversation; one that is not there has ended already."""
    _bot_found, key = _bot(context, parameters)
    context.world.lex_sessions.end(key)
    return {name: parameters[name] for name in ("botId", "botAliasId", "localeId", "sessionId")}


def _bot(context: Context, parameters: Parameters) -> tuple[ServedBot, str]:
    names = (parameters["botId"], parameters["botAliasId"], parameters["localeId"])
    return find_served(context.world, *names), "/".join((*names, parameters["sessionId"]))


def _session(context: Context, bot: ServedBot, key: str) -> LexSession | None:
    return context.world.lex_sessions.find(key, context.now, bot.idle_seconds)


def _check_intent(bot: ServedBot, context: Context, state: Parameters) -> None:
    name = (state.get("intent") or {}).get("name")
    if name is not None and name not in _intents(bot, context):
        raise AwsError("ValidationException", f"the bot has no intent {name!r}")


def _intents(bot: ServedBot, context: Context) -> set[str]:
    source = bot.source
    intents = source["intents"].values() if isinstance(source, dict) else bot.definition.get("intents", [])
    return {str(entry["intentName"]) for entry in intents} | {"FallbackIntent"}


def _packed(value: Any) -> str:
    return base64.b64encode(gzip.compress(json.dumps(value).encode(), mtime=0)).decode()
