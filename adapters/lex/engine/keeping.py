"""What a bot has learnt, kept in a file between starts: the same definition and code learn the same."""

from __future__ import annotations

import hashlib
import os
import secrets
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adapters.lex.engine.elsewhere import TOPICS
from adapters.lex.engine.expanding import LearnedTags
from adapters.lex.engine.fields import FieldWeights
from adapters.lex.engine.learning import Learned
from adapters.lex.engine.meaning import WIDTH
from adapters.lex.engine.tagging import TaggerWeights, tags_of
from adapters.lex.engine.word_features import WIDTH as MEANT

_MOST_FILES = 4
"""Files that are kept in a folder: those of other definitions and of older code go first."""
_ARRAYS = {
    "rarities": np.float64,
    "spelling_weights": np.float32,
    "word_rarities": np.float32,
    "kinship_weights": np.float32,
    "meaning_weights": np.float32,
}
_TEXTS = ("features", "words")


@dataclass(frozen=True, slots=True)
class Kept:
    """All that is learnt of a bot: by the classifier of its intents, and by the taggers of open slots."""

    learned: Learned
    tags: LearnedTags


def file_for(folder: Path, definition: bytes) -> Path:
    """The file for what this code learns from a definition in its canonical bytes."""
    digest = hashlib.sha256(_code() + hashlib.sha256(definition).digest())
    return folder / f"learned-{digest.hexdigest()[:32]}.npz"


def keep(file: Path, kept: Kept) -> None:
    """Write what was learnt, whole or not at all; a folder that can't be written costs only the next start's time."""
    draft = file.with_suffix(f".{secrets.token_hex(4)}.draft")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("xb") as stream:
            np.savez(stream, allow_pickle=False, **_arrays_of(kept.learned), **_arrays_of_tags(kept.tags))
        draft.replace(file)
        for old in sorted(file.parent.glob("learned-*.npz"), key=os.path.getmtime)[:-_MOST_FILES]:
            old.unlink(missing_ok=True)
    except OSError:
        with suppress(OSError):
            draft.unlink()


def _arrays_of(learned: Learned) -> dict[str, Any]:
    numbers = [learned.count, learned.temperature, learned.low_output]
    return {
        "numbers": np.array(numbers, np.float64),
        **{name: _joined(getattr(learned, name)) for name in _TEXTS},
        **{name: getattr(learned, name) for name in _ARRAYS},
    }


def _arrays_of_tags(tags: LearnedTags) -> dict[str, Any]:
    arrays: dict[str, Any] = {"tag_features": _joined(tags.features), "tagged": _joined(tuple(tags.by_intent))}
    for number, weights in enumerate(tags.by_intent.values()):
        arrays[f"slots{number}"], arrays[f"rows{number}"] = _joined(weights.slots), weights.rows
        for part in ("sparse", "dense", "steps"):
            arrays[f"{part}{number}"] = getattr(weights.field, part)
    return arrays


def _joined(texts: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(texts).encode(), np.uint8)


def _parted(joined: Any) -> tuple[str, ...]:
    text = bytes(joined).decode()
    return tuple(text.split("\n")) if text else ()


def load(file: Path) -> Kept | None:
    """What was kept; None when there is nothing, or nothing that can be used."""
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as kept:
            return Kept(_checked(kept), _checked_tags(kept))
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile):
        return None


def _checked(kept: Mapping[str, Any]) -> Learned:
    features, words = (_parted(kept[name]) for name in _TEXTS)
    arrays = {name: np.asarray(kept[name], kind) for name, kind in _ARRAYS.items()}
    count, temperature, low_output = map(float, kept["numbers"])
    classes = arrays["meaning_weights"].shape[1]
    wanted = {
        "rarities": (len(features),),
        "spelling_weights": (len(features), classes),
        "word_rarities": (len(words),),
        "kinship_weights": (len(words), classes),
        "meaning_weights": (WIDTH, classes),
    }
    if any(arrays[name].shape != shape for name, shape in wanted.items()):
        raise ValueError("the parts do not belong together")
    return Learned(
        features=features,
        words=words,
        count=int(count),
        temperature=temperature,
        low_output=low_output,
        **arrays,
    )


def _checked_tags(kept: Mapping[str, Any]) -> LearnedTags:
    features = _parted(kept["tag_features"])
    by_intent: dict[str, TaggerWeights] = {}
    for number, name in enumerate(_parted(kept["tagged"])):
        slots, rows = _parted(kept[f"slots{number}"]), np.asarray(kept[f"rows{number}"], np.int32)
        sparse, dense, steps = (
            np.asarray(kept[f"{part}{number}"], np.float32) for part in ("sparse", "dense", "steps")
        )
        count = len(tags_of(slots))
        shapes = (sparse.shape, dense.shape, steps.shape)
        is_within = not rows.size or 0 <= rows.min() <= rows.max() < len(features)
        if shapes != ((len(rows), count), (MEANT, count), (count, count)) or not is_within:
            raise ValueError("the parts do not belong together")
        by_intent[name] = TaggerWeights(slots, rows, FieldWeights(sparse, dense, steps))
    return LearnedTags(features, by_intent)


@cache
def _code() -> bytes:
    """A digest of the engine's own code and topics: others may teach something else."""
    digest = hashlib.sha256(np.__version__.encode())
    for source in (*sorted(Path(__file__).parent.glob("*.py")), TOPICS):
        digest.update(source.read_bytes())
    return digest.digest()
