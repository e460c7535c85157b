"""Nothing of an application outlives its test: some hundred of them, each with engines and routes, fill the memory."""

from __future__ import annotations

from fastapi.dependencies import models

# FastAPI remembers thousands of functions that it has seen, and with each the application that it closes over.
_caches = [found for found in vars(models).values() if hasattr(found, "cache_clear")]


def pytest_runtest_teardown() -> None:
    """Forget the functions of the test's application."""
    for cache in _caches:
        cache.cache_clear()
