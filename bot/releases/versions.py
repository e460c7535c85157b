"""Versions in their order: 2.10 comes after 2.9, and what is unknown before all."""

from __future__ import annotations


def rank_of(version: str) -> tuple[bool, list[tuple[int, int, str]]]:
    """Return the key by which versions are ordered, oldest first; an empty one is unknown."""
    parts = version.replace("-", ".").split(".")
    return bool(version), [(1, int(p), "") if p.isdecimal() else (0, 0, p) for p in parts]
