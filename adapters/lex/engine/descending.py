"""Least values of smooth functions of many numbers (L-BFGS with a line search that only goes down)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = TypeVar("Floats", NDArray[np.float32], NDArray[np.float64])
_MEMORY = 8
_HALVINGS = 20


def descend(
    function: Callable[[Floats], tuple[float, Floats]], start: Floats, steps: int, close_enough: float = 1e-4
) -> Floats:
    """Where a function (its value and slopes at a place) is nearly least, after at most `steps` steps."""
    place = start
    value, slopes = function(place)
    known: deque[tuple[Floats, Floats]] = deque(maxlen=_MEMORY)
    for _ in range(steps):
        direction = _downhill(slopes, known)
        fall = float(slopes @ direction)
        if fall >= 0:
            known.clear()
            direction, fall = -slopes, -float(slopes @ slopes)
        length = 1.0 if known else min(1.0, 1.0 / (float(np.abs(slopes).sum()) + 1e-12))
        for _ in range(_HALVINGS):
            following = place + length * direction
            less, turned = function(following)
            if less <= value + 1e-4 * length * fall:
                break
            length *= 0.5
        else:
            return place
        moved, bent = following - place, turned - slopes
        if float(moved @ bent) > 1e-10:
            known.append((moved, bent))
        is_flat = value - less < close_enough * max(1.0, abs(value))
        place, value, slopes = following, less, turned
        if is_flat:
            break
    return place


def _downhill(slopes: Floats, known: deque[tuple[Floats, Floats]]) -> Floats:
    direction = -slopes
    shares: list[float] = []
    for moved, bent in reversed(known):
        share = float(moved @ direction) / float(moved @ bent)
        shares.append(share)
        direction = direction - share * bent
    if known:
        moved, bent = known[-1]
        direction = direction * (float(moved @ bent) / float(bent @ bent))
    for (moved, bent), share in zip(known, reversed(shares), strict=True):
        direction = direction + (share - float(bent @ direction) / float(moved @ bent)) * moved
    return direction
