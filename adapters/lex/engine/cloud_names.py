"""Regions of AWS and ids of accounts, as people write them: slot types of the engine's own.

A bot has such a type where a pattern takes Regions, or twelve digits and nothing else (Lex: AMAZON.AlphaNumeric with
a regexFilter). Codes and plain ids are found by the pattern itself; these are the other ways to say them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from adapters.lex.engine.spans import Found

_PLACES: Final[Mapping[str, str]] = {
    "us-east-1": "n. virginia|north virginia|northern virginia|virginia",
    "us-east-2": "ohio",
    "us-west-1": "n. california|north california|northern california|california",
    "us-west-2": "oregon",
    "ca-central-1": "canada central|montreal",
    "ca-west-1": "calgary",
    "mx-central-1": "mexico",
    "sa-east-1": "são paulo|sao paulo",
    "eu-west-1": "ireland|dublin",
    "eu-west-2": "london",
    "eu-west-3": "paris",
    "eu-central-1": "frankfurt",
    "eu-central-2": "zurich|zürich",
    "eu-north-1": "stockholm",
    "eu-south-1": "milan",
    "eu-south-2": "spain",
    "me-south-1": "bahrain",
    "me-central-1": "uae",
    "il-central-1": "tel aviv",
    "af-south-1": "cape town",
    "ap-south-1": "mumbai",
    "ap-south-2": "hyderabad",
    "ap-southeast-1": "singapore",
    "ap-southeast-2": "sydney",
    "ap-southeast-3": "jakarta",
    "ap-southeast-4": "melbourne",
    "ap-southeast-5": "malaysia",
    "ap-southeast-7": "thailand|bangkok",
    "ap-northeast-1": "tokyo",
    "ap-northeast-2": "seoul",
    "ap-northeast-3": "osaka",
    "ap-east-1": "hong kong",
    "ap-east-2": "taipei",
}
"""The Regions with the places by which AWS names them."""
_CODES: Final = {name: code for code, names in _PLACES.items() for name in names.split("|")}
_ALONE, _ENDED = r"(?<![\w@./-])", r"(?![\w@/]|[-.]\w)"
_PLACE = re.compile(rf"{_ALONE}(?:{'|'.join(map(re.escape, sorted(_CODES, key=len, reverse=True)))}){_ENDED}", re.I)
_SPACED = re.compile(
    rf"{_ALONE}([a-z]{{2}})[ _]?(?:(north|south|east|west|central)[ _]?(north|south|east|west)?)[ _]?([0-9]){_ENDED}",
    re.IGNORECASE,
)
_GROUPED = re.compile(rf"{_ALONE}([0-9]{{4}})([- ])([0-9]{{4}})\2([0-9]{{4}}){_ENDED}")
_NO_REGION = ("qm-abcdefgh", "my-stack", "abcdefgh", "123456789012")


def takes_regions(pattern: re.Pattern[str]) -> bool:
    """Whether a slot type's pattern is that of Regions: it takes all of them, and neither other names nor ids."""
    return all(map(pattern.fullmatch, _PLACES)) and not any(map(pattern.fullmatch, _NO_REGION))


def takes_account_ids(pattern: re.Pattern[str]) -> bool:
    """Whether a slot type's pattern is that of account ids: twelve digits."""
    return bool(pattern.fullmatch("123456789012") and pattern.fullmatch("000000000000")) and not any(
        map(pattern.fullmatch, ("12345678901", "1234567890123", "12345678901a"))
    )


def find_regions(text: str) -> Iterator[Found]:
    """Regions that a cleaned text names by their place, or whose code it spells with blanks or with nothing between."""
    for match in _PLACE.finditer(text):
        yield Found(match.start(), match.end(), (_CODES[match.group().lower()],))
    for match in _SPACED.finditer(text):
        area, first, second, number = (part.lower() if part else "" for part in match.groups())
        code = f"{area}-{first}{second}-{number}"
        if code in _PLACES:
            yield Found(match.start(), match.end(), (code,))


def find_account_ids(text: str) -> Iterator[Found]:
    """Ids of accounts in three groups of four digits, as the AWS console shows them."""
    for match in _GROUPED.finditer(text):
        yield Found(match.start(), match.end(), ("".join(match.group(1, 3, 4)),))
