"""The sandbox that these tests share, in its seed state at the start of each."""

from collections.abc import Iterator

import pytest

from sandbox.server import Sandbox
from tests.sandbox.landing import Aws


@pytest.fixture(scope="session")
def running() -> Iterator[Aws]:
    with Sandbox(speed=0) as sandbox:
        aws = Aws(sandbox.url)
        yield aws
        aws.close()


@pytest.fixture
def aws(running: Aws) -> Aws:
    """The seed's landing zone, with the clock standing still unless a test moves it."""
    running.post("clock", speed=0)
    running.post("reset")
    return running
