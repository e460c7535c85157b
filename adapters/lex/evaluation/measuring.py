"""The figures of one evaluation."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from adapters.lex.engine import Engine
from adapters.lex.engine.filling import Question
from adapters.lex.engine.text import clean
from adapters.lex.evaluation.fresh import start_afresh
from adapters.lex.evaluation.rows import OUT_OF_SCOPE, Row, locale_of, slot_name

THRESHOLD = 0.4
_NO_QUESTION = Question(None, {}, {})


@dataclass(frozen=True, slots=True)
class Report:
    """Shares lie between 0 and 1; what there was nothing to measure on is None."""

    accuracy: float | None
    """In-scope rows whose leading intent is right, whatever its confidence."""
    in_scope_accepted: float | None
    """In-scope rows whose leading intent reaches the threshold, right or not."""
    oos_recall: float | None
    """Out-of-scope rows on which no intent reaches the threshold."""
    auroc: float | None
    """How well the leading confidence ranks rows in scope above rows out of scope; ties count half."""
    p50_ms: float
    p99_ms: float
    """Processor time of understanding one sentence, on one thread: its intents ranked, the first one's slots filled."""
    train_s: float
    """Until a definition never seen before is ready, in a process that has loaded the engine."""
    start_s: float
    """From the start of a process until it understands, with what was learnt before at hand."""
    rss_mb: float
    """Memory that a process has more than a bare interpreter, with numpy, once it has understood some sentences."""
    slot_f1: float | None
    """Macro F1 over the slots of all intents; a value counts if intent, slot and words are right."""


def evaluate(train: Sequence[Row], test: Sequence[Row], strangers: Sequence[Row] = ()) -> Report:
    """Teach the engine `train` and nothing else, and measure it; rows of `test` labelled "oos" count as strangers.

    Raises Invalid when there is nothing to learn.
    """
    return measure(locale_of(train), test, strangers)


def measure(definition: Mapping[str, Any], test: Sequence[Row], strangers: Sequence[Row] = ()) -> Report:
    """Measure the engine of a bot locale; rows of `test` labelled "oos" count as strangers."""
    begun = time.perf_counter()
    engine = Engine(definition)
    trained = time.perf_counter() - begun
    known = [row for row in test if row.intent != OUT_OF_SCOPE]
    unknown = [*strangers, *(row for row in test if row.intent == OUT_OF_SCOPE)]
    right = [_lead(engine, row) for row in known]
    insiders = [confidence for _, confidence in right]
    outsiders = [_lead(engine, row)[1] for row in unknown]
    times = _times(engine, [*known, *unknown])
    start, memory = start_afresh(definition, [row.text for row in test][:200])
    return Report(
        accuracy=_share(name == row.intent for (name, _), row in zip(right, known, strict=True)),
        in_scope_accepted=_share(confidence >= THRESHOLD for confidence in insiders),
        oos_recall=_share(confidence < THRESHOLD for confidence in outsiders),
        auroc=auroc(insiders, outsiders),
        p50_ms=_quantile(times, 0.5) * 1000,
        p99_ms=_quantile(times, 0.99) * 1000,
        train_s=trained,
        start_s=start,
        rss_mb=memory,
        slot_f1=slot_f1(engine, known) if any(row.slots for row in known) else None,
    )


def auroc(insiders: Sequence[float], outsiders: Sequence[float]) -> float | None:
    """The share of pairs in which the insider's number is the greater; ties count half. None without a pair."""
    if not insiders or not outsiders:
        return None
    ranked = sorted([(value, True) for value in insiders] + [(value, False) for value in outsiders])
    below, won = 0, 0.0
    for _, tied in groupby(ranked, key=lambda pair: pair[0]):
        inside = [is_inside for _, is_inside in tied]
        outside = inside.count(False)
        won += inside.count(True) * (below + outside / 2)
        below += outside
    return won / (len(insiders) * len(outsiders))


def slot_f1(engine: Engine, rows: Sequence[Row]) -> float:
    """Macro F1 over every slot of every intent that is in the rows or was found wrongly in them."""
    hits: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        wanted = {
            (row.intent, slot_name(name), clean(value).strip()) for name, held in row.values().items() for value in held
        }
        found = _found(engine, row)
        for intent, slot, value in wanted | found:
            counts = hits.setdefault((intent, slot), [0, 0, 0])
            counts[0] += (intent, slot, value) in wanted & found
            counts[1] += (intent, slot, value) in found
            counts[2] += (intent, slot, value) in wanted
    in_rows = [(both, found, wanted) for both, found, wanted in hits.values() if wanted]
    return sum(2 * both / (found + wanted) for both, found, wanted in in_rows) / max(1, len(in_rows))


def _found(engine: Engine, row: Row) -> set[tuple[str, str, str]]:
    text = clean(row.text)
    leading = engine.compiled.rank(text, frozenset())[0].intent
    filler = engine.compiled.filler(leading)
    fills = filler.fill(text, _NO_QUESTION) if filler is not None else []
    return {(leading.name, fill.slot, fill.original.strip()) for fill in fills}


def _lead(engine: Engine, row: Row) -> tuple[str, float]:
    leading = engine.compiled.rank(clean(row.text), frozenset())[0]
    return leading.intent.name, leading.score


def _times(engine: Engine, rows: Sequence[Row]) -> list[float]:
    """Seconds of the processor for each row; what was built before is set aside from the search for garbage."""
    gc.collect()
    gc.freeze()
    times: list[float] = []
    try:
        for row in rows:
            begun = time.thread_time()
            _found(engine, row)
            times.append(time.thread_time() - begun)
    finally:
        gc.unfreeze()
    return times


def _share(hits: Iterable[bool]) -> float | None:
    counted = list(hits)
    return sum(counted) / len(counted) if counted else None


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
