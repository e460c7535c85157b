"""What the engine has learnt is kept in a file: the next start takes it up and understands the same."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from adapters.lex.engine import Engine, compiled, keeping
from adapters.lex.engine.learning import Learned, Lessons
from tests.understanding.vending_bot import vending_definition as definition

SENTENCES = ("I need a new account for the web shop", "status of qm-1234abcd", "what is the weather", "help", "no")


@pytest.fixture(autouse=True)
def forgets(alone: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every engine compile anew, as in a new process."""
    monkeypatch.setattr(compiled, "_MOST_COMPILED", 0)
    compiled._compiled.clear()
    yield
    compiled._compiled.clear()


def scores(engine: Engine) -> list[tuple[str, float]]:
    """Return all that an engine thinks of the sentences."""
    return [(r.intent.name, r.score) for text in SENTENCES for r in engine.compiled.rank(text, frozenset())]


def learning(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count how often something is learnt."""
    counted: list[int] = []
    learn = Lessons.learn

    def count(self: Lessons) -> Learned:
        counted.append(1)
        return learn(self)

    monkeypatch.setattr(Lessons, "learn", count)
    return counted


def test_a_second_start_learns_nothing_and_understands_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt = learning(monkeypatch)
    first = scores(Engine(definition(), tmp_path / "engine"))
    second = scores(Engine(definition(), tmp_path / "engine"))
    assert second == first == scores(Engine(definition()))
    assert len(learnt) == 2, "the first, and the one without a folder"


def test_another_definition_or_other_code_learns_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    learnt = learning(monkeypatch)
    Engine(definition(), tmp_path)
    other = definition()
    other["intents"][0]["sampleUtterances"].append({"utterance": "quite another sentence"})
    Engine(other, tmp_path)
    monkeypatch.setattr(keeping, "_code", lambda: b"newer")
    Engine(definition(), tmp_path)
    assert len(learnt) == 3


@pytest.mark.parametrize("damage", ["empty", "cut", "nonsense", "foreign", "pickle"])
def test_a_damaged_file_is_learnt_anew_and_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    learnt = learning(monkeypatch)
    wanted = scores(Engine(definition(), tmp_path))
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    match damage:
        case "empty":
            file.write_bytes(b"")
        case "cut":
            file.write_bytes(whole[: len(whole) // 2])
        case "nonsense":
            file.write_bytes(b"PK" + whole[2:1000] + bytes(2000))
        case "foreign":
            with file.open("wb") as stream:
                np.savez(stream, features=np.frombuffer(b"a\nb", np.uint8), numbers=np.array([1.0, 1.0, 0.5]))
        case "pickle":
            with file.open("wb") as stream:
                np.savez(stream, features=np.array([{"a": 1}], dtype=object))
    assert scores(Engine(definition(), tmp_path)) == wanted
    assert scores(Engine(definition(), tmp_path)) == wanted
    assert len(learnt) == 2


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "engine").write_text("a file, not a folder")
    assert scores(Engine(definition(), tmp_path / "engine")) == scores(Engine(definition()))


def test_only_the_newest_files_stay(tmp_path: Path) -> None:
    for number in range(6):
        old = tmp_path / f"learned-{number}.npz"
        old.write_bytes(b"of other code")
        os.utime(old, (number, number))
    Engine(definition(), tmp_path)
    stayed = sorted(file.name for file in tmp_path.iterdir())
    assert [name for name in stayed if len(name) < 20] == ["learned-3.npz", "learned-4.npz", "learned-5.npz"]
    assert len(stayed) == 4
