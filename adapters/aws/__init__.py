"""AWS through boto3: clients per account and Region, off the event loop, standard retries and time-outs."""

from __future__ import annotations

from adapters.aws.cloud import BotoCloud
from adapters.aws.sandbox import sandbox_clock
from bot.settings import Settings

__all__ = ["BotoCloud", "build", "sandbox_clock"]


def build(settings: Settings) -> BotoCloud:
    """Return the Cloud for these settings; makes no call."""
    return BotoCloud(settings)
