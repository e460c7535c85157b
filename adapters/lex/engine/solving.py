"""Multinomial logistic regression in its kernel form, and what it would say of samples had they been left out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
_PENALTY = 0.05
_STEPS = 40


def solve(
    kernel: Floats, labels: NDArray[np.int64], groups: NDArray[np.int64], classes: int
) -> tuple[Floats, NDArray[np.float64]]:
    """Dual weights of the logistic model, and the outputs each group would get had it been left out.

    Accelerated steps against the fixed curvature bound of the softmax (Böhning 1992): one inverse, no search.
    At the optimum the model is a ridge regression on working responses, which gives the left-out outputs in
    closed form.
    """
    count = len(labels)
    targets = np.zeros((count, classes), np.float32)
    targets[np.arange(count), labels] = 1.0
    curvature = 0.5 * kernel + _PENALTY * np.eye(count)
    inverse: Floats = np.asarray(np.linalg.inv(curvature.astype(np.float32)), np.float32)
    dual: Floats = np.zeros_like(targets)
    ahead: Floats = dual
    momentum = 1.0
    for _ in range(_STEPS):
        following: Floats = ahead - inverse @ (_shares(kernel @ ahead) - targets + np.float32(_PENALTY) * ahead)
        faster = (1.0 + math.sqrt(1.0 + 4.0 * momentum * momentum)) / 2.0
        ahead = following + np.float32((momentum - 1.0) / faster) * (following - dual)
        dual, momentum = following, faster
    outputs = kernel @ dual
    responses = (outputs + 2.0 * (targets - _shares(outputs))).astype(np.float64)
    held_out = np.empty_like(responses)
    half_inverse = 0.5 * inverse
    coefficients = half_inverse @ responses
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        residual = np.linalg.solve(half_inverse[np.ix_(members, members)], coefficients[members])
        held_out[members] = responses[members] - residual
    return dual, held_out


def _shares(outputs: Floats) -> Floats:
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))
