"""Open slots of a bot with many samples: values that no list holds are found by how people speak of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from adapters.lex.engine import Engine, compiled
from adapters.lex.engine.fields import Fields, FieldWeights
from adapters.lex.evaluation.rows import Row, locale_of

_SONGS = (
    "blue river|night train|over the hills|golden days|silver moon|cold rain|red desert|old harbour|first snow"
    "|paper boats|a quiet street|far from home"
).split("|")
_ARTISTS = (
    "mira holt|the lanterns|joss arden|clara vane|the tin soldiers|rob ellery|nina frost|sam birch|ivo marsh"
    "|the late birds|dora lind|paul stone"
).split("|")
_PLAYING = (
    "play {song} by {artist}",
    "please play {song} from {artist}",
    "could you play {song} by {artist} now",
    "I want to hear {song} by {artist}",
    "let me hear {artist}",
    "play something by {artist}",
    "put on {song}",
    "start {song} of {artist} please",
    "listen to {song} by {artist}",
    "I would like to listen to {artist}",
    "play me the song {song}",
)
_QUEUING = (
    "queue {song} by {artist}",
    "queue the song {song}",
    "queue something by {artist}",
    "put {song} in the queue",
)


def _rows(templates: Sequence[str], intent: str, rounds: int) -> list[Row]:
    rows: list[Row] = []
    for number in range(rounds * len(templates)):
        text, slots = "", []
        values = {"song": _SONGS[number % len(_SONGS)], "artist": _ARTISTS[(5 * number + 1) % len(_ARTISTS)]}
        for piece in templates[number % len(templates)].replace("{", "|{").replace("}", "}|").split("|"):
            name = piece.strip("{}")
            if piece != name:
                slots.append((name, len(text), len(text) + len(values[name])))
            text += values.get(name, piece) if piece != name else piece
        rows.append(Row(text, intent, tuple(slots)))
    return rows


_DEFINITION = locale_of([*_rows(_PLAYING, "Play", 3), *_rows(_QUEUING, "Queue", 6)])


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which what was learnt of the bot is kept."""
    folder = tmp_path_factory.mktemp("learned")
    Engine(_DEFINITION, folder)
    return folder


_ANEW = {"dialogAction": {"type": "ElicitIntent"}}


def _found(engine: Engine, text: str) -> dict[str, str]:
    answer = engine.recognize_text(session_id="somebody", text=text, session_state=_ANEW)
    slots = answer["sessionState"]["intent"]["slots"]
    return {name: slot["value"]["interpretedValue"] for name, slot in slots.items() if slot}


def test_values_that_no_list_holds_are_found_whole(kept: Path) -> None:
    engine = Engine(_DEFINITION, kept)
    assert _found(engine, "play yesterday morning by ulla brandt") == {
        "song": "yesterday morning",
        "artist": "ulla brandt",
    }
    assert _found(engine, "queue under the bridge by the weird ones") == {
        "song": "under the bridge",
        "artist": "the weird ones",
    }


def test_a_word_never_met_beside_a_value_is_not_part_of_it(kept: Path) -> None:
    assert _found(Engine(_DEFINITION, kept), "kindly play something by ulla brandt") == {"artist": "ulla brandt"}


def test_taggers_are_taken_from_the_file_of_an_earlier_start(
    alone: None, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt: list[int] = []
    learn = Fields.learn

    def count(self: Fields) -> list[FieldWeights]:
        learnt.append(1)
        return learn(self)

    monkeypatch.setattr(Fields, "learn", count)
    text = "listen to yesterday morning by ulla brandt"
    compiled._compiled.clear()
    from_file = _found(Engine(_DEFINITION, kept), text)
    assert not learnt
    compiled._compiled.clear()
    assert from_file == _found(Engine(_DEFINITION), text)
    assert from_file["artist"] == "ulla brandt"
    assert len(learnt) == 1
