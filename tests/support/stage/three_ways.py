"""Stories are understood three ways: by the engine, by Lex, and by both in turn.

Each text that a story's bot understands in-process is also asked of the runtime adapter, against a bot that
`lex deploy` built in a sandboxed Lex of its own, and of an adapter whose Lex fails every other turn, so that the
conversation goes to the engine and comes back. All three must understand the same: intent, slots, confirmation,
confidence. What a bot says follows from that and from nothing else of its recogniser, so the transcripts are equal;
tests/understanding_wire holds some that were written out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters.aws.cloud import BotoCloud
from adapters.lex.building import Deployer, Target
from adapters.lex.local import LocalRecognizer
from adapters.lex.runtime import LexRecognizer
from bot.clock import SystemClock
from bot.cloud import Cloud
from bot.errors import CloudError
from bot.intent import Registry
from bot.lexshape import lex_definition
from bot.main import Application, build_services, discover
from bot.recognizer import Recognizer, Timed, Turn, WithFallback
from bot.settings import load_settings
from sandbox.server import Sandbox


class ThreeWays:
    """The sandboxed Lex with the bots that stories have had; compares while it is on."""

    def __init__(self, folder: Path) -> None:
        self._sandbox = Sandbox(speed=0).start()
        self._settings = load_settings(aws_endpoint_url=self._sandbox.url, var_dir=folder, lex_timeout=25)
        self._cloud = BotoCloud(self._settings)
        self._aliases: dict[str, tuple[str, str]] = {}
        self._stages = 0
        self.is_on = False
        self.exchanges = 0
        self.differences: list[str] = []

    def close(self) -> None:
        """Stop."""
        self._cloud.close()
        self._sandbox.stop()

    async def prepare(self) -> None:
        """Deploy the bot that most stories have, before the clock of any story runs."""
        await self.others(discover(build_services(self._settings, SystemClock(), self._cloud)))

    async def watch(self, application: Application) -> None:
        """Compare what this bot understands from now on, unless it asks Lex itself.

        Its bot is deployed before anybody speaks: to deploy and to learn takes longer than a turn may.
        """
        timed = application.recognizer
        if isinstance(timed, Timed) and self.is_on:
            self._stages += 1
            others = await self.others(application.services.registry)
            timed._inner = _Watched(self, timed._inner, others, f"{self._stages}-")

    async def others(self, registry: Registry) -> tuple[Recognizer, Recognizer]:
        """Return the two other ways of understanding these intents: Lex, and Lex with the engine behind it."""
        definition = lex_definition(registry)
        bot, alias = await self._deployed(registry, json.dumps(definition))
        settings = self._settings.model_copy(update={"lex_bot_id": bot, "lex_bot_alias_id": alias})
        failing = LexRecognizer(_EveryOther(self._cloud), settings)
        return LexRecognizer(self._cloud, settings), WithFallback(failing, LocalRecognizer(definition), 25)

    async def _deployed(self, registry: Registry, key: str) -> tuple[str, str]:
        if key not in self._aliases:
            name = f"Stories{len(self._aliases)}"
            bot, alias = await deploy_bot(self._sandbox, self._cloud, registry, name)
            settings = self._settings.model_copy(update={"lex_bot_id": bot, "lex_bot_alias_id": alias})
            await wake(LexRecognizer(self._cloud, settings))
            self._aliases[key] = bot, alias
        return self._aliases[key]


async def deploy_bot(sandbox: Sandbox, cloud: Cloud, registry: Registry, name: str) -> tuple[str, str]:
    """Do what `lex deploy` does in a sandbox, whose time passes while Lex works; return the ids of bot and alias."""

    async def pause(seconds: float) -> None:
        sandbox.world.clock.advance(seconds)

    definition = lex_definition(registry, name=name, samples=True)
    done = await Deployer(cloud, Target("us-east-1", bot_name=name), definition, pause).deploy()
    return done.bot_id, done.alias_id


async def wake(lex: Recognizer) -> None:
    """Have a sandboxed bot learn its utterances, which it does at its first turn: longer than a turn may take."""
    while True:
        with suppress(CloudError):
            await lex.recognize("waking", "help", {})
            return


class _Watched:
    """The engine, looked over its shoulder."""

    def __init__(self, ways: ThreeWays, engine: Recognizer, others: tuple[Recognizer, Recognizer], prefix: str) -> None:
        self._ways, self._engine, self._others, self._prefix = ways, engine, others, prefix
        self.name = engine.name

    async def recognize(self, session_id: str, text: str, session_state: Mapping[str, Any]) -> Turn:
        turn = await self._engine.recognize(session_id, text, session_state)
        if self._ways.is_on:
            await self._compare(turn, self._prefix + session_id, text, session_state)
        return turn

    async def _compare(self, turn: Turn, session_id: str, text: str, session_state: Mapping[str, Any]) -> None:
        self._ways.exchanges += 1
        try:
            lex, in_turn = self._others
            by_lex = replace(await lex.recognize(session_id, text, session_state), kept=turn.kept)
            by_both = await in_turn.recognize(f"{session_id}-in-turn", text, session_state)
        except Exception as error:
            self._ways.differences.append(f"“{text}” was not understood: {error!r}")
            return
        if by_lex != turn:
            self._ways.differences.append(f"“{text}”\n  the engine: {turn}\n  Lex: {by_lex}")
        if _said(by_both, session_state) != _said(turn, session_state):
            self._ways.differences.append(f"“{text}”\n  the engine: {turn}\n  Lex and the engine in turn: {by_both}")


def _said(turn: Turn, state: Mapping[str, Any]) -> Any:
    """Return what is new in a turn; nothing for an answer that did not fit the question.

    How often in a row one did not fit is told by no sessionState: who comes in later counts anew, and gives up later
    (FallbackIntent). Our dialogue counts by itself and answers both alike.
    """
    intent = state.get("intent") or {}
    if not intent:
        return turn
    held = {name: slot["value"]["interpretedValue"] for name, slot in (intent.get("slots") or {}).items() if slot}
    is_own = turn.intent == intent.get("name") and turn.slots == held and turn.confirmation == "None"
    return None if turn.is_fallback or is_own else replace(turn, kept={})


class _EveryOther:
    """AWS whose Lex fails each second turn of a conversation."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._turns: Counter[str] = Counter()

    async def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        if operation == "RecognizeText":
            self._turns[parameters["sessionId"]] += 1
            if not self._turns[parameters["sessionId"]] % 2:
                raise CloudError("InternalServerException", "every other turn fails", operation=operation)
        return await self._cloud.call(service, operation, **parameters)

    def pages(self, *names: Any, **parameters: Any) -> Any:
        return self._cloud.pages(*names, **parameters)
