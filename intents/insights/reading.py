"""Reads what a question is about, part by part: at once, from memory if it was just read, and never half silently."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.clock import Clock
from bot.errors import CloudError
from bot.insights import Found, Insight, InsightSource, Part, Question, Scope

log = structlog.get_logger(__name__)

FRESH = 20.0
"""Seconds for which a reading serves again; `forget` ends it at once."""
AGES = timedelta(minutes=5)
"""Business time after which a reading is old, however short ago it was by the wall clock: sandboxes jump."""
KEPT = 12_000
"""Parts that are remembered."""
WORKERS = 24
FULL_HOUR = timedelta(hours=1)
_NAMED = 3
Key = tuple[Part, Question]


@dataclass(frozen=True)
class _Reading:
    read_at: float
    business: datetime
    insights: tuple[Insight, ...]


class Reader:
    """Shared by all intents of the folder; one a process."""

    def __init__(self, providers: Sequence[InsightSource], clock: Clock) -> None:
        self.providers = {provider.name: provider for provider in providers}
        self._clock = clock
        self._kept: OrderedDict[Key, _Reading] = OrderedDict()
        self._under_way: dict[Key, asyncio.Future[tuple[Insight, ...]]] = {}
        self._behind: set[asyncio.Task[None]] = set()

    async def read(
        self,
        scope: Scope,
        question: Question,
        patience: float | None = None,
        names: Callable[[str], str] = str,
    ) -> Found:
        """Return what all providers tell; what is not read after `patience` seconds is pending, and goes on.

        Raises CloudError when nothing at all could be read.
        """
        question = _rounded(question)
        parts = [part for provider in self.providers.values() for part in provider.parts(scope)]
        results: dict[Part, tuple[Insight, ...] | CloudError] = {}
        todo = []
        for part in parts:
            if (known := self._recall((part, question))) is not None:
                results[part] = known
            else:
                todo.append(part)
        await self._read_all(todo, question, scope, results, patience)
        if results and all(isinstance(result, CloudError) for result in results.values()):
            raise next(result for result in results.values() if isinstance(result, CloudError))
        found = {(i.id, i.account, i.region): i for r in results.values() if not isinstance(r, CloudError) for i in r}
        failed = {part: result for part, result in results.items() if isinstance(result, CloudError)}
        missing = (*describe_failures(failed, names), *self._too_long_ago(question))
        return Found(tuple(found.values()), missing, len(parts) - len(results))

    def forget(self, account: str, region: str) -> None:
        """Read anew what is about that account and Region."""
        for part, question in list(self._kept):
            if part.region == region and part.account in ("", account):
                del self._kept[part, question]

    async def close(self) -> None:
        """End what still reads behind answers that were given."""
        tasks = list(self._behind)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _too_long_ago(self, question: Question) -> tuple[str, ...]:
        """Return a sentence for each source that does not look back as far as is asked; an hour is nothing."""
        if question.since is None:
            return ()
        back = self._clock.now() - question.since - FULL_HOUR
        short = [source for source in self.providers.values() if source.kept < back]
        return tuple(f"{source.name} tells of the past {source.kept.days} days only." for source in short)

    async def _read_all(
        self,
        parts: Sequence[Part],
        question: Question,
        scope: Scope,
        results: dict[Part, tuple[Insight, ...] | CloudError],
        patience: float | None,
    ) -> None:
        """Read the parts with a few workers; those that are late go on behind."""
        waiting = iter(parts)

        async def work() -> None:
            for part in waiting:
                try:
                    results[part] = await self._read_one((part, question), scope)
                except CloudError as error:
                    log.warning("insights.unread", region=part.region, account=part.account, code=error.code)
                    results[part] = error

        workers = [asyncio.create_task(work()) for _ in range(min(WORKERS, len(parts)))]
        if not workers:
            return
        for worker in workers:
            self._behind.add(worker)
            worker.add_done_callback(self._behind.discard)
        done, _ = await asyncio.wait(workers, timeout=patience)
        for worker in done:
            worker.result()

    async def _read_one(self, key: Key, scope: Scope) -> tuple[Insight, ...]:
        """Return a part's insights; who asks for the same at the same time shares the reading."""
        if (known := self._recall(key)) is not None:
            return known
        if key in self._under_way:
            return await asyncio.shield(self._under_way[key])
        future = self._under_way[key] = asyncio.get_running_loop().create_future()
        try:
            begun = _Reading(time.monotonic(), self._clock.now(), ())
            found = await self.providers[key[0].source].read(key[0], key[1], scope)
            self._keep(key, _Reading(begun.read_at, begun.business, found))
            future.set_result(found)
            return found
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError):
                future.cancel()
            else:
                future.set_exception(error)
                future.exception()  # nobody else may be waiting for it
            raise
        finally:
            del self._under_way[key]

    def _recall(self, key: Key) -> tuple[Insight, ...] | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        if time.monotonic() - kept.read_at > FRESH or self._clock.now() - kept.business > AGES:
            del self._kept[key]
            return None
        return kept.insights

    def _keep(self, key: Key, reading: _Reading) -> None:
        self._kept[key] = reading
        self._kept.move_to_end(key)
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)


def _rounded(question: Question) -> Question:
    """Return a question about a little more, so that the next one is the same: whole hours."""
    if question.since is None:
        return question
    since = question.since.replace(minute=0, second=0, microsecond=0)
    return Question(question.kind, since)


def describe_failures(failed: Mapping[Part, CloudError], names: Callable[[str], str] = str) -> tuple[str, ...]:
    """Return a sentence for each reason and Region: how much is missing there, and why."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for part, error in failed.items():
        accounts = groups.setdefault((part.region, part.source, _why(error)), [])
        if part.account and part.account not in accounts:
            accounts.append(part.account)
    sentences = []
    for (region, source, why), accounts in groups.items():
        what = "not all here"
        if accounts:
            few = ", ".join(names(account) for account in accounts[:_NAMED])
            more = f" and {len(accounts) - _NAMED} more accounts" if len(accounts) > _NAMED else ""
            what = f"without {few}{more}"
        sentences.append(f"{region} is {what}: {why} ({source}).")
    return tuple(sentences)


def _why(error: CloudError) -> str:
    if "hrottl" in error.code or "TooManyRequests" in error.code or error.code == "LimitExceededException":
        return "AWS throttles the questions; ask again in a minute"
    if "Denied" in error.code or error.code.startswith("UnauthorizedOperation"):
        return f"no access, AWS answered {error.code}"
    return f"AWS answered {error.code}"


async def all_of(work: Sequence[Callable[[], Awaitable[None]]], at_once: int = WORKERS) -> None:
    """Do many things, a few at a time."""
    waiting = iter(work)

    async def do() -> None:
        for one in waiting:
            await one()

    await asyncio.gather(*(do() for _ in range(min(at_once, len(work)))))
