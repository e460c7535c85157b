"""Small turns of phrase that several parts use."""

from __future__ import annotations


def either(values: tuple[str, ...] | list[str]) -> str:
    """Return the values as people write alternatives: "A", "A or B", "A, B or C"."""
    if len(values) < 2:
        return "".join(values)
    return ", ".join(values[:-1]) + " or " + values[-1]


def in_midst(label: str) -> str:
    """Return a label as it stands in midst of a sentence: "Root e-mail" is lowered, "OU" and "BucketName" are not."""
    first = label.partition(" ")[0]
    return label if first[1:] != first[1:].lower() else label[:1].lower() + label[1:]
