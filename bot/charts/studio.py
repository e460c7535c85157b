"""Has charts drawn in a process of its own, so that no turn waits for another's picture."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import structlog

from bot.charts.blast import draw_png
from bot.charts.worker import LENGTH, question_of
from bot.errors import Unavailable
from bot.insights import Anomaly

log = structlog.get_logger(__name__)

PATIENCE = 10.0
"""Seconds for one picture, the start of the process included."""
_HOME = Path(__file__).parents[2]


class Studio:
    """Starts its worker at the first picture; `close` ends it. It ends with us, too: its questions end then."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._worker: Process | None = None

    async def draw(self, anomaly: Anomaly, kind: Literal["png", "svg"] = "png") -> bytes:
        """Return a picture of an anomaly that can be drawn; raises Unavailable when none can be made now."""
        question = question_of(anomaly, kind)
        async with self._turn:
            try:
                async with asyncio.timeout(PATIENCE):
                    answer = await self._ask(question)
            except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
                log.warning("charts.worker_lost", error=repr(error))
                await self._end()
                raise Unavailable("The chart could not be drawn.", next_step="Ask again in a moment.") from error
            except BaseException:
                await self._end()  # an answer that nobody waits for must not be taken for the next one's
                raise
        if answer[:1] != b"+":
            log.warning("charts.not_drawn", error=answer[1:200].decode(errors="replace"))
            raise Unavailable("The chart could not be drawn.")
        return answer[1:]

    async def draw_blast(self, figure: Mapping[str, Any]) -> bytes:
        """Return a PNG of what would be hit, see `bot.charts.blast`; raises Unavailable when none can be made.

        Squares and a few words take some milliseconds: no process is started for them.
        """
        try:
            return await asyncio.to_thread(draw_png, figure)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            log.warning("charts.not_drawn", error=repr(error))
            raise Unavailable("The picture could not be drawn.") from error

    async def close(self) -> None:
        """End the worker; it may be used again afterwards."""
        async with self._turn:
            await self._end()

    async def _ask(self, question: bytes) -> bytes:
        worker = self._worker
        if worker is None or worker.returncode is not None:
            worker = self._worker = await self._start()
        if worker.stdin is None or worker.stdout is None:
            raise OSError("the worker has no pipes")
        worker.stdin.write(LENGTH.pack(len(question)) + question)
        await worker.stdin.drain()
        (size,) = LENGTH.unpack(await worker.stdout.readexactly(LENGTH.size))
        return await worker.stdout.readexactly(size)

    async def _start(self) -> Process:
        # One thread for numpy: the worker draws one picture at a time, beside everything else.
        environment = {**os.environ, "PYTHONPATH": str(_HOME), "OPENBLAS_NUM_THREADS": "1"}
        command = (sys.executable, "-m", "bot.charts.worker")
        return await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment)

    async def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        if worker.stdin is not None:
            worker.stdin.close()
        try:
            async with asyncio.timeout(2):
                await worker.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                worker.kill()
            await worker.wait()
