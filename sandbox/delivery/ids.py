"""Ids of what an execution does, reckoned from the execution's own, so that none has to be kept.

An execution's id is a UUID whose last four digits follow from the others. Those of its actions differ in these four
only: exclusive-or gives the number of the action's run, and so the way back.
"""

from __future__ import annotations

import uuid
import zlib

_LOW = 0xFFFF


def new_execution_id() -> str:
    """An id that no other execution has."""
    return _with_low(uuid.uuid4().int, 0)


def run_id(execution_id: str, number: int) -> str:
    """The id of an execution's run with that number, from 0: its action execution, its token and its build."""
    return _with_low(uuid.UUID(execution_id).int, number + 1)


def find_run(identifier: str) -> tuple[str, int] | None:
    """The execution and the number of the run that an id would be of; None if it can be none."""
    try:
        value = uuid.UUID(identifier).int
    except ValueError:
        return None
    number = ((value & _LOW) ^ _check(value)) - 1
    return None if number < 0 else (_with_low(value, 0), number)


def _with_low(value: int, number: int) -> str:
    return str(uuid.UUID(int=value & ~_LOW | (_check(value) ^ number)))


def _check(value: int) -> int:
    return zlib.crc32((value >> 16).to_bytes(14, "big")) & _LOW
