"""all-MiniLM-L6-v2 in numpy: sentences to vectors of length 1 with 384 numbers, from the model's safetensors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adapters.lex.engine.wordpiece import WordPieces

Floats = NDArray[np.float32]
WIDTH = 384
_LAYERS = 6
_HEADS = 12
_LONGEST = 48
_BATCH = 64


class Teacher:
    """Reads `model.safetensors` and `vocab.txt` of a folder."""

    def __init__(self, folder: Path) -> None:
        self.pieces = (folder / "vocab.txt").read_text("utf-8").splitlines()
        self._cut = WordPieces(self.pieces)
        weights = _read_safetensors(folder / "model.safetensors")
        self._words = weights["embeddings.word_embeddings.weight"]
        self._places = (
            weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
        )
        self._first = _norm_of(weights, "embeddings.LayerNorm")
        self._layers = [_Layer(weights, f"encoder.layer.{number}.") for number in range(_LAYERS)]
        self._begin, self._end = self.pieces.index("[CLS]"), self.pieces.index("[SEP]")

    def numbers(self, text: str) -> list[int]:
        """The numbers of a text's pieces, without the model's own marks."""
        return self._cut.numbers(text)[: _LONGEST - 2]

    def vectors(self, cut: Sequence[Sequence[int]]) -> Floats:
        """One row for each text, given as its pieces' numbers."""
        made = np.zeros((len(cut), WIDTH), np.float32)
        order = np.argsort([len(text) for text in cut], kind="stable")
        at = 0
        while at < len(order):
            # Texts of one length go together, so nothing has to be masked.
            size = len(cut[order[at]])
            end = at
            while end < len(order) and end - at < _BATCH and len(cut[order[end]]) == size:
                end += 1
            batch = order[at:end]
            made[batch] = self._run(np.array([[self._begin, *cut[text], self._end] for text in batch]))
            at = end
        return made

    def _run(self, numbers: NDArray[np.int64]) -> Floats:
        states = _normalise(self._words[numbers] + self._places[: numbers.shape[1]], self._first)
        for layer in self._layers:
            states = layer.run(states)
        mean = states.mean(axis=1)
        return np.asarray(mean / np.linalg.norm(mean, axis=1, keepdims=True), np.float32)


class _Layer:
    def __init__(self, weights: dict[str, Floats], prefix: str) -> None:
        def part(name: str) -> tuple[Floats, Floats]:
            return np.ascontiguousarray(weights[f"{prefix}{name}.weight"].T), weights[f"{prefix}{name}.bias"]

        self._in = [part(f"attention.self.{name}") for name in ("query", "key", "value")]
        self._out, self._up, self._down = map(part, ("attention.output.dense", "intermediate.dense", "output.dense"))
        self._norms = (
            _norm_of(weights, prefix + "attention.output.LayerNorm"),
            _norm_of(weights, prefix + "output.LayerNorm"),
        )

    def run(self, states: Floats) -> Floats:
        count, length, width = states.shape
        flat = states.reshape(-1, width)
        query, key, value = (
            (flat @ weight + bias).reshape(count, length, _HEADS, -1).transpose(0, 2, 1, 3) for weight, bias in self._in
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(np.sqrt(width / _HEADS))
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        mixed = (shares @ value).transpose(0, 2, 1, 3).reshape(-1, width)
        attended = _normalise(flat + mixed @ self._out[0] + self._out[1], self._norms[0])
        hidden = _gelu(attended @ self._up[0] + self._up[1])
        return _normalise(attended + hidden @ self._down[0] + self._down[1], self._norms[1]).reshape(states.shape)


def _norm_of(weights: dict[str, Floats], name: str) -> tuple[Floats, Floats]:
    return weights[f"{name}.weight"], weights[f"{name}.bias"]


def _normalise(states: Floats, norm: tuple[Floats, Floats]) -> Floats:
    centred = states - states.mean(axis=-1, keepdims=True)
    spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(1e-12))
    return np.asarray(centred / spread * norm[0] + norm[1], np.float32)


def _gelu(values: Floats) -> Floats:
    """The tanh form: within 0.001 of the exact one, and much faster in numpy."""
    inner = np.float32(0.7978845608) * (values + np.float32(0.044715) * values * values * values)
    return np.asarray(np.float32(0.5) * values * (np.float32(1) + np.tanh(inner)), np.float32)


def _read_safetensors(file: Path) -> dict[str, Floats]:
    """All 32-bit tensors of a file: eight bytes of the header's length, a JSON header, the numbers."""
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        header: dict[str, Any] = json.loads(stream.read(length))
    held = np.memmap(file, np.uint8, mode="r", offset=8 + length)
    return {
        name: np.array(held[slice(*entry["data_offsets"])].view(np.float32).reshape(entry["shape"]))
        for name, entry in header.items()
        if name != "__metadata__" and entry["dtype"] == "F32"
    }
