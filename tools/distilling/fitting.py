"""The table's vectors: each piece alone as the model sees it, then corrected so that sums come near whole sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
WIDTH = 256
_COMMON = 1e-3
"""Pieces that make up this share of a corpus count half (smooth inverse frequency, Arora and others 2017)."""
_PENALTY = 1.0
_STEPS = 30
_COLUMNS = 32


class Sums:
    """The matrix that turns a table into a sum for each text, divided by the root of its length."""

    def __init__(self, texts: Sequence[Sequence[int]], pieces: int) -> None:
        lengths = np.array([len(text) for text in texts])
        self._pieces = pieces
        self._flat = np.concatenate([np.asarray(text, np.int64) for text in texts])
        self._rows = np.repeat(np.arange(len(texts)), lengths)
        self._scale = (1.0 / np.sqrt(lengths)).astype(np.float32)
        self._starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        self._order = np.argsort(self._flat, kind="stable")
        self._used, self._used_starts = np.unique(self._flat[self._order], return_index=True)

    def of(self, table: Floats) -> Floats:
        """A row for each text."""
        made = np.empty((len(self._scale), table.shape[1]), np.float32)
        for at in range(0, table.shape[1], _COLUMNS):
            columns = np.ascontiguousarray(table[:, at : at + _COLUMNS])
            made[:, at : at + _COLUMNS] = np.add.reduceat(columns[self._flat], self._starts, axis=0)
        return np.asarray(made * self._scale[:, None], np.float32)

    def transposed(self, rows: Floats) -> Floats:
        """A row for each piece: the transposed matrix times rows of texts."""
        made = np.zeros((self._pieces, rows.shape[1]), np.float32)
        which = self._rows[self._order]
        for at in range(0, rows.shape[1], _COLUMNS):
            columns = rows[:, at : at + _COLUMNS] * self._scale[:, None]
            made[self._used, at : at + _COLUMNS] = np.add.reduceat(columns[which], self._used_starts, axis=0)
        return made


def fit_table(texts: Sequence[Sequence[int]], alone: Floats, sentences: Floats) -> Floats:
    """A vector of WIDTH for each piece; the sum over a text's pieces, brought to length 1, stands for the text.

    `texts` are pieces' numbers, `sentences` the model's vectors of them, `alone` its vectors of single pieces.
    Two tables are made and joined, since they err in different places: the pieces alone, less what all have in
    common; and the pieces corrected by ridge regression so that sums come near the model's vectors of whole
    sentences. The joint is cut to the WIDTH directions in which the texts differ most.
    """
    counts = np.bincount(np.concatenate([np.asarray(text) for text in texts]), minlength=len(alone))
    share = (counts + 0.5) / (counts.sum() + 0.5 * len(alone))
    rarity = (_COMMON / (_COMMON + share))[:, None].astype(np.float32)
    centred = alone - alone.mean(axis=0)
    sums = Sums(texts, len(alone))
    tables = [
        (centred @ _directions(centred)) * rarity,
        _corrected(sums, (alone @ (kept := _directions(sentences))) * rarity, sentences @ kept),
    ]
    told = [sums.of(table) for table in tables]
    lengths = [np.linalg.norm(rows, axis=1, keepdims=True) for rows in told]
    joint = np.concatenate([rows / length for rows, length in zip(told, lengths, strict=True)], axis=1)
    scaled = [table / length.mean() for table, length in zip(tables, lengths, strict=True)]
    return np.asarray(np.concatenate(scaled, axis=1) @ _directions(joint), np.float32)


def _directions(rows: Floats) -> Floats:
    """The WIDTH directions in which the rows are longest, as columns."""
    _, directions = np.linalg.eigh(np.asarray(rows.T @ rows, np.float64))
    return np.ascontiguousarray(directions[:, ::-1][:, :WIDTH], np.float32)


def _corrected(sums: Sums, prior: Floats, targets: Floats) -> Floats:
    guess = sums.of(prior)
    prior = prior * np.float32((guess * targets).sum() / (guess * guess).sum())
    return np.asarray(prior + _solve(sums, targets - sums.of(prior)), np.float32)


def _solve(sums: Sums, rest: Floats) -> Floats:
    left = sums.transposed(rest)
    found = np.zeros_like(left)
    direction = left.copy()
    size = (left * left).sum(axis=0)
    for _ in range(_STEPS):
        moved = sums.transposed(sums.of(direction)) + np.float32(_PENALTY) * direction
        step = size / np.maximum((direction * moved).sum(axis=0), np.float32(1e-12))
        found += step * direction
        left -= step * moved
        following = (left * left).sum(axis=0)
        direction = left + (following / np.maximum(size, np.float32(1e-12))) * direction
        size = following
    return found
