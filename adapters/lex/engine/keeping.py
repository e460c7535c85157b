"""What a classifier has learnt, kept in a file between starts: the same definition and code learn the same."""

from __future__ import annotations

import hashlib
import os
import secrets
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from adapters.lex.engine.elsewhere import TOPICS
from adapters.lex.engine.learning import Learned
from adapters.lex.engine.meaning import WIDTH

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


def file_for(folder: Path, definition: bytes) -> Path:
    """The file for what this code learns from a definition in its canonical bytes."""
    digest = hashlib.sha256(_code() + hashlib.sha256(definition).digest())
    return folder / f"learned-{digest.hexdigest()[:32]}.npz"


def keep(file: Path, learned: Learned) -> None:
    """Write what was learnt, whole or not at all; a folder that can't be written costs only the next start's time."""
    draft = file.with_suffix(f".{secrets.token_hex(4)}.draft")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("xb") as stream:
            np.savez(stream, allow_pickle=False, **_arrays_of(learned))
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
        **{name: np.frombuffer("\n".join(getattr(learned, name)).encode(), np.uint8) for name in _TEXTS},
        **{name: getattr(learned, name) for name in _ARRAYS},
    }


def load(file: Path) -> Learned | None:
    """What was kept; None when there is nothing, or nothing that can be used."""
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as kept:
            return _checked(kept)
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile):
        return None


def _checked(kept: Mapping[str, Any]) -> Learned:
    features, words = (tuple(bytes(kept[name]).decode().split("\n")) for name in _TEXTS)
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


@cache
def _code() -> bytes:
    """A digest of the engine's own code and topics: others may teach something else."""
    digest = hashlib.sha256(np.__version__.encode())
    for source in (*sorted(Path(__file__).parent.glob("*.py")), TOPICS):
        digest.update(source.read_bytes())
    return digest.digest()
