"""Small turns of phrase that several parts use."""

from __future__ import annotations

from datetime import timedelta


def either(values: tuple[str, ...] | list[str]) -> str:
    """Return the values as people write alternatives: "A", "A or B", "A, B or C"."""
    if len(values) < 2:
        return "".join(values)
    return ", ".join(values[:-1]) + " or " + values[-1]


def in_midst(label: str) -> str:
    """Return a label as it stands in midst of a sentence: "Root e-mail" is lowered, "OU" and "BucketName" are not."""
    first = label.partition(" ")[0]
    return label if first[1:] != first[1:].lower() else label[:1].lower() + label[1:]


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: "1 deployment", "1,200 deployments"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def lasting(time: timedelta) -> str:
    """Return a length of time as people say it: 45 s, 12 min, 3 h 5 min, 2 days 4 h."""
    seconds = max(0, round(time.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} days {hours} h" if hours else f"{days} days"
