"""The table of word pieces: unchanged, small, and telling like from unlike."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest

from adapters.lex.engine.meaning import meanings
from adapters.lex.engine.wordpiece import WordPieces

FOLDER = Path(__file__).resolve().parents[2] / "third_party" / "minilm"


def test_the_files_are_those_that_the_readme_describes_and_fit_into_seven_megabytes() -> None:
    described = dict(re.findall(r"`([\w.]+)` \|.*`([0-9a-f]{64})`", (FOLDER / "README.md").read_text("utf-8")))
    assert {"table.npy", "scales.npy", "pieces.txt"} == set(described)
    for name, digest in described.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest, name
    assert sum((FOLDER / name).stat().st_size for name in described) <= 7_000_000


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Unhappiness, happily!", ["un", "##hap", "##pi", "##ness", ",", "happily", "!"]),
        ("café", ["cafe"]),
        ("go\u200bgo", ["go", "##go"]),
        ("", []),
        ("漢", []),
    ],
)
def test_words_are_cut_into_the_longest_known_pieces(text: str, pieces: list[str]) -> None:
    known = ["un", "##hap", "##pi", "##ness", ",", "happily", "!", "cafe", "go", "##go"]
    assert [known[number] for number in WordPieces(known).numbers(text)] == pieces


@pytest.mark.parametrize(
    ("one", "like", "unlike"),
    [
        ("who owns this account", "tell me the owner of an account", "order a new database"),
        ("how much did we spend", "what was the cost", "close the account"),
        ("remove the bucket", "delete my storage", "list all requests"),
    ],
)
def test_sentences_that_mean_alike_are_nearer_than_others(one: str, like: str, unlike: str) -> None:
    first, second, third = (meanings().of_words(text.split()) for text in (one, like, unlike))
    assert float(first @ second) > float(first @ third) + 0.1
    assert np.isclose(np.linalg.norm(first), 1.0, atol=1e-5)
    assert not meanings().of_words(["markemailaddress"]).any()
