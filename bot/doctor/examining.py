"""Runs checks, each on its own: none can stop or hold up another."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.doctor.model import Check, Finding, failed
from bot.errors import QuartermasterError

LIMIT = 10.0
"""Seconds that one check may take."""
AT_ONCE = 4
"""Checks that run at the same time: making the first clients of AWS keeps a small machine busy for a while."""
T = TypeVar("T")


@dataclass(frozen=True)
class Result:
    """One check's finding and how long it took."""

    name: str
    finding: Finding
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON types."""
        found = self.finding
        return {
            "name": self.name,
            "state": found.state,
            "text": found.text,
            "fix": found.fix,
            "seconds": round(self.seconds, 2),
        }


async def examine(checks: Sequence[Check], *, limit: float = LIMIT) -> list[Result]:
    """Return what each check found, in their order. A few run at once, and `limit` counts from each one's own start."""
    slots = asyncio.Semaphore(AT_ONCE)

    async def in_turn(check: Check) -> Result:
        async with slots:
            return await _examine(check, limit)

    return list(await asyncio.gather(*(in_turn(check) for check in checks)))


async def _examine(check: Check, limit: float) -> Result:
    begun = time.monotonic()
    try:
        async with asyncio.timeout(limit):
            finding = await check.look()
    except TimeoutError:
        finding = failed(
            f"no answer within {limit:g} s", "See whether this machine's network and proxies let it through."
        )
    except QuartermasterError as error:
        finding = failed(error.detail, error.next_step or "Mend what the sentence says.")
    except Exception as error:  # whatever is broken, the others are looked at
        words = str(error).partition("\n")[0] or "no reason given"
        finding = failed(f"{type(error).__name__}: {words}", "Install the pinned requirements.txt, then try again.")
    return Result(check.name, finding, time.monotonic() - begun)


async def in_thread(work: Callable[[], T]) -> T:
    """Return what `work` returns, run in a thread that nobody waits for when it hangs."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(call: Callable[[Any], None], value: Any) -> None:
        def set_unless_late() -> None:
            if not answer.done():
                call(value)

        try:
            loop.call_soon_threadsafe(set_unless_late)
        except RuntimeError:
            return  # the loop is closed: nobody listens any more

    def run() -> None:
        try:
            result = work()
        except Exception as error:
            settle(answer.set_exception, error)
        else:
            settle(answer.set_result, result)

    threading.Thread(target=run, daemon=True, name="doctor").start()
    return await answer
