"""Long tests first: with several workers a run is as long as its last test, so none may begin late."""

from __future__ import annotations

import os
from itertools import islice

import pytest

LONG = ("tests/restart/", "test_contract.py", "test_browser.py", "test_two_replicas", "test_every_sentence")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each worker its share of the long tests at the beginning; the same order in every process."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long = [item for item in items if any(mark in item.nodeid for mark in LONG)]
    chosen = set(map(id, long))
    short = iter([item for item in items if id(item) not in chosen])
    size, spare = divmod(len(items), workers)
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        mine = long[worker::workers]
        ordered += mine
        ordered += islice(short, max(0, size + (worker < spare) - len(mine)))
    items[:] = [*ordered, *short]
