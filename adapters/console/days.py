"""Days in filters: as date fields send them, each from midnight to midnight UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from bot.errors import Invalid


def begin_of(text: str, field: str) -> datetime | None:
    """Return when a day such as 2026-03-31 begins, None for an empty text; raises Invalid."""
    if not text:
        return None
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            raise ValueError
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise Invalid(f"“{text[:20]}” is not a day.", field=field, next_step="Write it like 2026-03-31.") from error


def end_of(text: str, field: str) -> datetime | None:
    """Return when the day after begins; see `begin_of`."""
    day = begin_of(text, field)
    try:
        return day + timedelta(days=1) if day else None
    except OverflowError:
        return None
