"""Names as people half remember them, never guessed between two."""

from __future__ import annotations

import pytest

from bot.errors import Invalid
from intents.products.matching import find_meant

KNOWN = {
    "Encrypted S3 bucket": "An S3 bucket with a key of its own",
    "PostgreSQL database": "Reached from inside the network only",
    "VPC with private subnets": "A network without a way in",
    "team-db-1": "PostgreSQL database",
    "team-db-2": "PostgreSQL database",
}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("encrypted bucket", "Encrypted S3 bucket"),
        ("the ENCRYPTED s3 bucket please", "Encrypted S3 bucket"),
        ("an encripted bucket", "Encrypted S3 bucket"),
        ("postgres", "PostgreSQL database"),
        ("VPC", "VPC with private subnets"),
        ("team-db-2", "team-db-2"),
        ("my encrypted s3 bucket for logs", "Encrypted S3 bucket"),
    ],
)
def test_finds_the_one_that_is_meant(said: str, meant: str) -> None:
    assert find_meant(said, KNOWN, what="product", field="Product") == meant


@pytest.mark.parametrize(("said", "choices"), [("network", 2), ("team db", 2), ("team-db-3", 2)])
def test_asks_rather_than_guess(said: str, choices: int) -> None:
    with pytest.raises(Invalid) as asked:
        find_meant(said, KNOWN, what="product", field="Product")
    assert len(asked.value.choices) >= choices


@pytest.mark.parametrize("said", ["kubernetes cluster", "the", "", "…"])
def test_knows_nothing_of_that_name(said: str) -> None:
    with pytest.raises(Invalid, match="There is no product called"):
        find_meant(said, KNOWN, what="product", field="Product")


def test_a_name_like_another_is_never_taken_for_it() -> None:
    with pytest.raises(Invalid):
        find_meant("encrypted-bucket-ana", {"encrypted-bucket-kim": "bucket"}, what="product", field="Product")
