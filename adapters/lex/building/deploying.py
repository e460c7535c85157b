"""Deploys a bot: draft, build, version, alias. Every run looks first and makes only the calls that are missing.

Nothing is remembered between runs but what stands in AWS: a version's description names the digest of its content, an
alias' description the digest that was verified on the version it points at. A numbered version never changes, so that
two runs at once, whatever they want, can't make an alias point at a mixture: its content is read back before.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from adapters.lex.building.applying import Applying
from adapters.lex.building.bots import Bot, Target, marked, marked_in
from adapters.lex.building.content import Content, content_of
from adapters.lex.building.lexapi import LexApi, Moved, Pause
from adapters.lex.building.planning import Step, left_over, plan
from adapters.lex.building.reading import read_content
from bot.cloud import Cloud
from bot.errors import Conflict, NotFound, QuartermasterError

ROUNDS, MOST_ROUNDS = 6, 40
"""How often a run begins anew because somebody else changed the bot: without getting anywhere in a row, and at all."""


ROLLED_BACK = " (rolled back)"
"""How an alias' description ends that was rolled back: what it pointed at before that is no version to go back to."""


class BuildFailed(QuartermasterError):
    """Lex could not build the locale; the alias is where it was."""

    title = "The build failed"


class Progress(Protocol):
    """Told how far a deployment is."""

    def begin(self, steps: int) -> None:
        """So many steps are to be made; more may be added later by beginning again."""

    def step(self, words: str) -> None:
        """One of them begins."""

    def end(self) -> None:
        """There is nothing more to do, or it has failed."""


@dataclass(frozen=True)
class Deployed:
    """What came of a run; `stays` is what is no longer wanted and was left, `changed` whether the alias moved."""

    bot_id: str
    alias_id: str
    version: str
    steps: tuple[Step, ...] = ()
    stays: tuple[Step, ...] = ()
    changed: bool = False


@dataclass(frozen=True)
class Difference:
    """What a deployment would do; `moves` says what would happen to bot, version and alias."""

    steps: tuple[Step, ...] = ()
    stays: tuple[Step, ...] = ()
    moves: tuple[str, ...] = ()


@dataclass
class Deployer:
    """Brings one bot to a definition, as `bot.lexshape.lex_definition(samples=True)` makes it."""

    cloud: Cloud
    target: Target
    definition: Mapping[str, Any]
    pause: Pause = asyncio.sleep
    progress: Progress | None = None
    _wanted: Content = field(init=False)
    _api: LexApi = field(init=False)
    _bot: Bot = field(init=False)
    _left: int = 1_000_000
    """How many steps were left when the draft was read last."""

    def __post_init__(self) -> None:
        """Make what follows from the target."""
        self._wanted = content_of(self.definition)
        self._api = LexApi(self.cloud, self.target.region, self.target.locale, self.pause)
        self._bot = Bot(self.cloud, self._api, self.target, self._wanted.threshold, self._tell)

    # ------------------------------------------------------------------------------ the commands

    async def diff(self, *, prune: bool = False) -> Difference:
        """Return what `deploy` would do; makes no changing call. Raises CloudError."""
        bot = await self._bot.find_bot()
        empty = content_of({"nluIntentConfidenceThreshold": self._wanted.threshold, "slotTypes": [], "intents": []})
        if bot is None or not await self._bot.has_locale():
            new = "the locale" if bot else "the bot and its locale"
            steps = plan(self._wanted, empty, prune=prune)
            own = [step for step in steps if step.name != "FallbackIntent"]  # made by Lex with the locale
            return Difference(tuple(own), moves=(f"create {new}", "build", "create a version", "point the alias at it"))
        found = await read_content(self._api)
        steps, stays = plan(self._wanted, found, prune=prune), left_over(self._wanted, found)
        alias = await self._bot.find_alias()
        moves: tuple[str, ...] = ()
        if steps or alias is None or marked(alias) != found.digest():
            words = "create the alias" if alias is None else "move the alias"
            moves = (f"{words} {self.target.environment}",)
            if steps or found.digest() not in map(marked_in, (await self._bot.versions()).values()):
                moves = ("build", "create a version", *moves)
        return Difference(tuple(steps), () if prune else tuple(stays), moves)

    async def deploy(self, *, prune: bool = False) -> Deployed:
        """Bring the bot to the definition and the alias to a version that says it.

        Idempotent: where all is so already, no changing call is made. Raises BuildFailed, which leaves the alias
        alone; Conflict when somebody else keeps changing the bot; CloudError.
        """
        made: list[Step] = []
        rounds, in_vain = 0, 0
        try:
            while in_vain < ROUNDS and rounds < MOST_ROUNDS:
                rounds, before = rounds + 1, self._left
                try:
                    return await self._deploy(made, prune=prune)
                except Moved:
                    in_vain = 0 if 0 < self._left < before else in_vain + 1
                    await self.pause(random.uniform(1, 2 + 2 * in_vain))
        finally:
            self._tell_end()
        raise Conflict(
            "Somebody else keeps changing the bot.", next_step="Run the command again when the other one is done."
        )

    async def rollback(self, to: str = "") -> tuple[str, str]:
        """Point the alias at the version that it pointed at before, or at `to`; return (from, to).

        After a rollback it goes back in version numbers: done twice it goes back twice. Raises NotFound, CloudError.
        """
        if await self._bot.find_bot() is None:
            raise NotFound(f"There is no bot {self.target.bot_name} in {self.target.region}.")
        alias = await self._bot.find_alias()
        if alias is None:
            raise NotFound(f"The bot has no alias {self.target.environment}.", next_step="Deploy it first.")
        now, there = str(alias.get("botVersion") or ""), await self._bot.versions()
        chosen = to or _version_before(alias, there)
        if not chosen or chosen not in there:
            missing = f"There is no version {to}." if to else f"No earlier version than {now} is left."
            raise NotFound(
                missing, next_step=f"There are: {', '.join(sorted(there, key=int)) or 'none'}. Name one: --to."
            )
        if chosen != now:
            await self._bot.point(chosen, marked_in(there[chosen]), alias, "" if to else ROLLED_BACK)
        return now, chosen

    # ------------------------------------------------------------------------------ one round

    async def _deploy(self, made: list[Step], *, prune: bool) -> Deployed:
        await self._bot.ensure_bot()
        await self._bot.ensure_locale()
        found = await read_content(self._api)
        steps = plan(self._wanted, found, prune=prune)
        self._left = len(steps)
        if steps:
            applying = Applying(self._api, self._wanted, found)
            self._tell_begin(len(steps) + 4)
            for step in steps:
                self._tell(str(step))
                await applying.carry_out(step)
                made.append(step)
            found = await read_content(self._api)
            if plan(self._wanted, found, prune=prune):
                raise Moved("the draft is not as it was just made")
        digest, alias = found.digest(), await self._bot.find_alias()
        stays = () if prune else tuple(left_over(self._wanted, found))
        if alias is not None and marked(alias) == digest and alias.get("botVersion"):
            return Deployed(self._api.bot_id, alias["botAliasId"], alias["botVersion"], tuple(made), stays, bool(made))
        if not steps:
            self._tell_begin(4)
        version = await self._version_of(digest)
        alias_id = await self._bot.point(version, digest, alias)
        if prune:
            await self._bot.prune_versions()
        return Deployed(self._api.bot_id, alias_id, version, tuple(made), stays, changed=True)

    async def _version_of(self, digest: str) -> str:
        """Return a version with that content, made from a build if there is none; its content is read back."""
        for number, description in sorted((await self._bot.versions()).items(), key=lambda v: -int(v[0])):
            if marked_in(description) == digest and await self._says(number, digest):
                return number
        await self._build()
        number = await self._bot.create_version(digest)
        if not await self._says(number, digest):
            raise Moved("the draft was changed before the version was made of it")
        return number

    async def _says(self, number: str, digest: str) -> bool:
        self._tell(f"check version {number}")
        return await self._bot.is_available(number) and (await read_content(self._api, number)).digest() == digest

    async def _build(self) -> None:
        self._tell("build")
        locale = await self._bot.settled_locale()
        if locale.get("botLocaleStatus") not in ("Built", "ReadyExpressTesting"):
            await self._api.on_draft("BuildBotLocale")
            locale = await self._bot.settled_locale()
        if locale.get("botLocaleStatus") == "Failed":
            reasons = locale.get("failureReasons") or ["Lex gave no reason."]
            raise BuildFailed(
                f"Lex could not build {self.target.locale}: {' '.join(reasons)}",
                next_step=f"The alias {self.target.environment} is where it was. Correct the utterance, deploy again.",
            )

    # ------------------------------------------------------------------------------ telling

    def _tell_begin(self, steps: int) -> None:
        if self.progress:
            self.progress.begin(steps)

    def _tell(self, words: str) -> None:
        if self.progress:
            self.progress.step(words)

    def _tell_end(self) -> None:
        if self.progress:
            self.progress.end()


def _version_before(alias: Mapping[str, Any], there: Collection[str]) -> str:
    """Return the version that an alias had before, empty when none of them is left.

    A deployment may have pointed it at an older version, of the same content; then the one before has a higher number.
    """
    now = str(alias.get("botVersion") or "")
    events = sorted(alias.get("botAliasHistoryEvents") or (), key=lambda event: str(event.get("startDate") or ""))
    had = [str(event.get("botVersion") or "") for event in events]
    left = [version for version in had if version in there and version != now]
    if left and not str(alias.get("description") or "").endswith(ROLLED_BACK):
        return left[-1]
    return max((v for v in left if now.isdecimal() and int(v) < int(now)), key=int, default="")
