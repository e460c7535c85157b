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

from adapters.lex.engine.classifier import Learned

_MOST_FILES = 4
"""Files that are kept in a folder: those of other definitions and of older code go first."""
_ARRAYS = {
    "rarities": np.float64,
    "weights": np.float32,
    "posting_rows": np.int32,
    "posting_values": np.float32,
    "posting_starts": np.int64,
}


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
            np.savez(
                stream,
                features=np.frombuffer("\n".join(learned.features).encode(), np.uint8),
                numbers=np.array([learned.examples, learned.temperature, learned.usual_nearness]),
                **{name: getattr(learned, name) for name in _ARRAYS},
            )
        draft.replace(file)
        for old in sorted(file.parent.glob("learned-*.npz"), key=os.path.getmtime)[:-_MOST_FILES]:
            old.unlink(missing_ok=True)
    except OSError:
        with suppress(OSError):
            draft.unlink()


def load(file: Path) -> Learned | None:
    """What was kept; None when there is nothing, or nothing that can be used."""
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as kept:
            return _checked(kept)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _checked(kept: Mapping[str, Any]) -> Learned:
    features = tuple(bytes(kept["features"]).decode().split("\n"))
    arrays = {name: np.asarray(kept[name], kind) for name, kind in _ARRAYS.items()}
    examples, temperature, usual_nearness = map(float, kept["numbers"])
    count = len(features)
    rows, starts = arrays["posting_rows"], arrays["posting_starts"]
    if not (len(arrays["rarities"]) == len(arrays["weights"]) == len(starts) - 1 == count):
        raise ValueError("the parts do not belong together")
    if not (len(rows) == len(arrays["posting_values"]) == starts[-1] and rows.max(initial=0) < examples):
        raise ValueError("the parts do not belong together")
    return Learned(
        features=features,
        examples=int(examples),
        temperature=temperature,
        usual_nearness=usual_nearness,
        **arrays,
    )


@cache
def _code() -> bytes:
    """A digest of the engine's own code: other code may learn something else."""
    digest = hashlib.sha256(np.__version__.encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.digest()
