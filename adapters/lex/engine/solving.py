"""Multinomial logistic regression in its kernel form, and what it says of samples that were left out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_PENALTY = 0.05
_STEPS = 30
_FOLDS = 5


def solve(kernel: Floats, labels: NDArray[np.int64], classes: int) -> Floats:
    """Dual weights of the logistic model, a row a sample and a column a class.

    Accelerated steps against the fixed curvature bound of the softmax (Böhning 1992): one inverse, no search, and one
    product of matrices a step, from which what it adds to the outputs follows.
    """
    count = len(labels)
    targets = np.zeros((count, classes), np.float32)
    targets[np.arange(count), labels] = 1.0
    curvature = 0.5 * kernel + _PENALTY * np.eye(count)
    inverse: Floats = np.asarray(np.linalg.inv(curvature.astype(np.float32)), np.float32)
    dual: Floats = np.zeros_like(targets)
    ahead, outputs, outputs_ahead = dual, dual, dual
    penalty, momentum = np.float32(_PENALTY), 1.0
    for _ in range(_STEPS):
        slopes = _shares(outputs_ahead) - targets + penalty * ahead
        step = inverse @ slopes
        following: Floats = ahead - step
        # The kernel's product with the step: the kernel is twice the curvature less its penalty.
        following_outputs = outputs_ahead - 2 * (slopes - penalty * step)
        faster = (1.0 + math.sqrt(1.0 + 4.0 * momentum * momentum)) / 2.0
        swing = np.float32((momentum - 1.0) / faster)
        ahead = following + swing * (following - dual)
        outputs_ahead = following_outputs + swing * (following_outputs - outputs)
        dual, outputs, momentum = following, following_outputs, faster
    return dual


def hold_out(
    kernel: Floats, labels: NDArray[np.int64], groups: NDArray[np.int64], classes: int
) -> tuple[NDArray[np.int64], Floats]:
    """Which of the samples that have a group can be left out, and the outputs they get from the others.

    The first samples have one. Every label's groups are dealt out to five folds; a group's samples are left out
    together, and a label's only group never.
    """
    held = len(groups)
    folds = np.full(len(labels), -1)
    for label in np.unique(labels[:held]):
        own = np.unique(groups[labels[:held] == label])
        for at, group in enumerate(own if len(own) > 1 else ()):
            folds[:held][(groups == group) & (labels[:held] == label)] = (at * 7 + int(label)) % _FOLDS
    outputs: Floats = np.zeros((len(labels), classes), np.float32)
    for fold in range(_FOLDS):
        rows, others = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        if len(rows):
            dual = solve(kernel[np.ix_(others, others)], labels[others], classes)
            outputs[rows] = kernel[np.ix_(rows, others)] @ dual
    tested = np.flatnonzero(folds >= 0)
    return tested, outputs[tested]


def _shares(outputs: Floats) -> Floats:
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
