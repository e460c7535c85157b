"""Nothing of an application outlives its test: some hundred of them, each with engines and routes, fill the memory.

Garbage is collected now and then, all at once, instead of whenever there is some: what lives for the whole run is
most of what there is, and to look through it again and again takes a tenth of the time.
"""

from __future__ import annotations

import gc

from fastapi.dependencies import models

EVERY = 20
"""Tests between two collections; an application leaves some twenty megabytes."""

# FastAPI remembers thousands of functions that it has seen, and with each the application that it closes over.
_caches = [found for found in vars(models).values() if hasattr(found, "cache_clear")]
_ended = 0


def pytest_collection_finish() -> None:
    """Collect by hand from here on, and spare the collector what was loaded: it stays until the end."""
    gc.collect()
    gc.freeze()
    gc.disable()


def pytest_runtest_logfinish() -> None:
    """Forget the test's application, once its fixtures are gone: what is frozen while it lives stays for good."""
    global _ended
    for cache in _caches:
        cache.cache_clear()
    _ended += 1
    if _ended % EVERY == 0:
        gc.collect()
        gc.freeze()


def pytest_unconfigure() -> None:
    """Leave the collector as it was."""
    gc.enable()
