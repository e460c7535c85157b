"""Sentences to learn the table from: WordNet's glosses and examples, botocore's words on AWS, and made-up requests.

None of them comes from a set that engines are measured on.
"""

from __future__ import annotations

import gzip
import html
import json
import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_SEED = 50_101
_MOST = {"wordnet": 75_000, "botocore": 45_000, "requests": 70_000}
_TAG = re.compile(r"<[^>]+>")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_GLOSS = re.compile(r"^\d{8} \d\d (?P<kind>[nvasr]) (?P<count>[0-9a-f]{2}) (?P<rest>.*?) \| (?P<gloss>.*)$")
_EXAMPLE = re.compile(r'"([^"]+)"')
_WORDS_OF_NAME = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z0-9]+")

_ACTIONS = (
    "{do} the {thing}|{do} my {thing}|please {do} a {thing}|can you {do} the {thing}|I want to {do} a {thing}|"
    "I need to {do} my {thing}|how do I {do} a {thing}|could you {do} this {thing} for me|{do} {thing}|"
    "help me {do} the {thing}|I'd like to {do} my {thing} and the {other}|what happens if I {do} the {thing}|"
    "{do} the {thing} of the {other}|I can't {do} my {thing}|is it possible to {do} a {thing}|"
    "why can't I {do} the {thing}|{do} all {thing}s|when can I {do} my {thing}|don't {do} the {thing}|"
    "who can {do} the {thing} for the {other}|go ahead and {do} the {thing}|{do} the {thing} again|"
    "we have to {do} every {thing} in the {other} today"
).split("|")
_QUESTIONS = (
    "what is the {thing}|what is my {thing}|where is the {thing}|show me the {thing}|show my {thing}s|"
    "list all {thing}s|tell me about the {thing}|how much is the {thing}|how many {thing}s do I have|"
    "who has the {thing}|when is the next {thing}|is there a {thing} for the {other}|"
    "I have a problem with my {thing}|my {thing} is broken|what's the status of my {thing}|give me a {thing}|"
    "I need a new {thing}|I lost my {thing}|I want a {thing} please|which {thing} is best|do you have a {thing}|"
    "find me a {thing} near the {other}|what does {thing} mean|are there any {thing}s left|"
    "has my {thing} arrived yet|can I get a {thing} with a {other}|the {thing} is too {how}|"
    "I am looking for a {how} {thing}|is the {thing} {how}|thanks for the {thing}|how {how} is the {thing}|"
    "what kind of {thing} do I need for a {other}|remind me about the {thing}|what about the {thing}|"
    "how long does the {thing} take|I don't understand the {thing}|why is my {thing} so {how}|"
    "how do I get a {thing}|there is a {how} {thing} on the {other}"
).split("|")


def read_corpus(wordnet: Path, botocore: Path) -> list[str]:
    """All sentences, each once, in an order that looks random but is always the same.

    `wordnet` is a folder with WordNet 3.0's data and cntlist.rev files, `botocore` the package's folder.
    """
    dice = random.Random(_SEED)
    parts = {
        "wordnet": _glosses(wordnet),
        "botocore": _documentation(botocore),
        "requests": _requests(wordnet, botocore, dice),
    }
    chosen: list[str] = []
    for name, sentences in parts.items():
        unique = sorted(set(filter(_is_fit, sentences)))
        dice.shuffle(unique)
        chosen.extend(unique[: _MOST[name]])
    dice.shuffle(chosen)
    return chosen


def _is_fit(sentence: str) -> bool:
    return 2 <= len(sentence.split()) <= 30 and sentence.isascii()


def _glosses(folder: Path) -> Iterator[str]:
    for entry in _entries(folder):
        gloss = entry["gloss"]
        yield from _EXAMPLE.findall(gloss)
        definition = _EXAMPLE.sub("", gloss).strip(" ;")
        words = entry["rest"].split()[0].replace("_", " ")
        yield f"{words}: {definition}"


def _entries(folder: Path) -> Iterator[re.Match[str]]:
    for kind in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"data.{kind}").read_text("utf-8").splitlines():
            entry = _GLOSS.match(line)
            if entry is not None:
                yield entry


def _documentation(package: Path) -> Iterator[str]:
    for file in sorted((package / "data").glob("*/*/service-2.json.gz")):
        yield from _sentences(json.loads(gzip.decompress(file.read_bytes())))


def _sentences(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _sentences(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "documentation" and isinstance(value, str):
                plain = " ".join(html.unescape(_TAG.sub(" ", value)).split())
                yield from _SENTENCE_END.split(plain)
            else:
                yield from _sentences(value)


def _requests(wordnet: Path, botocore: Path, dice: random.Random) -> Iterator[str]:
    """Sentences as people speak to a service: common words of WordNet, and AWS's operations, in plain frames."""
    common = _common_words(wordnet)
    actions, things = common["1"][:1_500], common["2"][:6_000]
    manners = [word for word in (*common["3"], *common["5"])][:1_500]
    operations = _operations(botocore)
    for _ in range(_MOST["requests"]):
        choice = dice.random()
        thing, other = dice.choice(things), dice.choice(things)
        words = {"do": dice.choice(actions), "thing": thing, "other": other, "how": dice.choice(manners)}
        if choice < 0.2:
            words["do"], words["thing"] = dice.choice(operations)
            yield dice.choice(_ACTIONS).format(**words)
        else:
            yield dice.choice(_ACTIONS if choice < 0.55 else _QUESTIONS).format(**words)


def _common_words(folder: Path) -> dict[str, list[str]]:
    """Words by WordNet's number of their kind, the most used first, words never counted last and left out."""
    uses: dict[str, dict[str, int]] = {}
    for line in (folder / "cntlist.rev").read_text("utf-8").splitlines():
        key, _, count = line.split()
        word, _, sense = key.partition("%")
        kind = uses.setdefault(sense[0], {})
        kind[word.replace("_", " ")] = kind.get(word.replace("_", " "), 0) + int(count)
    return {kind: sorted(words, key=lambda word: (-words[word], word)) for kind, words in uses.items()}


def _operations(package: Path) -> list[tuple[str, str]]:
    """Verb and object of AWS's operations: CreateFlowLogs is ("create", "flow logs")."""
    found: set[tuple[str, str]] = set()
    for file in sorted((package / "data").glob("*/*/service-2.json.gz")):
        names: Iterable[str] = json.loads(gzip.decompress(file.read_bytes()))["operations"]
        for name in names:
            verb, *rest = [word.lower() for word in _WORDS_OF_NAME.findall(name)]
            if rest:
                found.add((verb, " ".join(rest)))
    return sorted(found)
