"""What `make bench` measures of understanding: the engine on public corpora and on our own bot.

The corpora lie in the folder NLU_DATA (CLINC150, Snips); none is part of the repository. Settings were tuned on their
training and validation splits alone; what is measured here are the test splits, three seeds each.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from adapters.lex.evaluation.measuring import Report, evaluate, measure
from adapters.lex.evaluation.rows import OUT_OF_SCOPE, Row, read_rows
from bot.clock import SystemClock
from bot.lexshape import lex_definition
from bot.main import build_cloud, build_services, discover
from bot.settings import Settings

SEEDS = (1, 2, 3)
_INTENTS = 20
_MOST_TESTED = 2_000
_Split = tuple[list[Row], list[Row], list[Row]]
_SENTENCES = Path(__file__).resolve().parents[1] / "tests" / "understanding"
"""Written for our own bot without sight of its utterances: what it should reach, and what it does not do."""


def measure_understanding(corpora: Path | None) -> list[tuple[str, str]]:
    """Rows of the table: what was measured, and the figures, means over the seeds. Without corpora, our own bot's."""
    strangers, others = (read_rows(_SENTENCES / f"{name}.jsonl") for name in ("strangers", "unsupported"))
    rows = [
        ("our own bot, unsupported operations as near out of scope", _figures([measure(_own(), strangers, others)]))
    ]
    if corpora is None:
        return rows
    for name, split in _SPLITS.items():
        reports = [evaluate(*split(corpora, seed)) for seed in SEEDS]
        rows.append((name, _figures(reports)))
    return rows


def _own() -> dict[str, Any]:
    """Our own bot's locale."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(database_url=f"sqlite:///{folder}/bench.sqlite", var_dir=Path(folder))
        services = build_services(settings, SystemClock(), build_cloud(settings))
        return lex_definition(discover(services))


def _figures(reports: Sequence[Report]) -> str:
    shown = {
        "accuracy": ("accuracy", 100, "%"),
        "in_scope_accepted": ("accepted", 100, "%"),
        "oos_recall": ("out of scope caught", 100, "%"),
        "auroc": ("AUROC", 1, ""),
        "slot_f1": ("slots' macro F1", 1, ""),
        "p50_ms": ("p50", 1, " ms"),
        "p99_ms": ("p99", 1, " ms"),
        "train_s": ("training", 1, " s"),
        "start_s": ("start", 1, " s"),
        "rss_mb": ("memory", 1, " MB"),
    }
    figures: list[str] = []
    for field, (label, scale, unit) in shown.items():
        values = [value for report in reports if (value := asdict(report)[field]) is not None]
        if values:
            mean = scale * sum(values) / len(values)
            figures.append(f"{label} {mean:.1f}{unit}" if unit else f"{label} {mean:.3f}")
    return ", ".join(figures)


def draw(rows: Sequence[Row], count: int, seed: int, intents: Collection[str] | None = None) -> list[Row]:
    """`count` rows of each intent, by chance; the same ones for the same seed."""
    by_intent: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.intent != OUT_OF_SCOPE and (intents is None or row.intent in intents):
            by_intent[row.intent].append(row)
    dice = random.Random(seed)
    return [row for intent in sorted(by_intent) for row in dice.sample(by_intent[intent], count)]


def _clinc(shots: int) -> Callable[[Path, int], _Split]:
    def split(corpora: Path, seed: int) -> _Split:
        folder = corpora / "clinc150"
        test = read_rows(folder / "test.jsonl")
        tested = random.Random(seed).sample(test, _MOST_TESTED)
        return draw(read_rows(folder / "train.jsonl"), shots, seed), tested, read_rows(folder / "oos_test.jsonl")

    return split


def _small_bot(corpora: Path, seed: int) -> _Split:
    """Twenty intents of all domains; far from them lies CLINC150's own out-of-scope set."""
    folder = corpora / "clinc150"
    train, test = read_rows(folder / "train.jsonl"), read_rows(folder / "test.jsonl")
    chosen = set(random.Random(seed).sample(sorted({row.intent for row in test}), _INTENTS))
    mine = [row for row in test if row.intent in chosen]
    return draw(train, 10, seed, chosen), mine, read_rows(folder / "oos_test.jsonl")


def _near_bot(corpora: Path, seed: int) -> _Split:
    """Twenty intents of two domains; near them lie the other intents of the same two domains."""
    folder = corpora / "clinc150"
    train, test = read_rows(folder / "train.jsonl"), read_rows(folder / "test.jsonl")
    domains: Mapping[str, list[str]] = json.loads((folder / "domains.json").read_text("utf-8"))
    dice = random.Random(seed)
    pool = sorted(intent for domain in dice.sample(sorted(domains), 2) for intent in domains[domain])
    chosen = set(dice.sample(pool, _INTENTS))
    near = [Row(row.text, OUT_OF_SCOPE) for row in test if row.intent in set(pool) - chosen]
    return draw(train, 10, seed, chosen), [row for row in test if row.intent in chosen], near


def _snips(corpora: Path, seed: int) -> _Split:
    folder = corpora / "snips"
    return draw(read_rows(folder / "train.jsonl"), 10, seed), read_rows(folder / "test.jsonl"), []


def _snips_slots(corpora: Path, seed: int) -> _Split:
    folder = corpora / "snips"
    return draw(read_rows(folder / "train70.jsonl"), 70, seed), read_rows(folder / "test.jsonl"), []


_SPLITS: dict[str, Callable[[Path, int], _Split]] = {
    "CLINC150, 10 an intent": _clinc(10),
    "CLINC150, 5 an intent": _clinc(5),
    "Snips, 10 an intent": _snips,
    "Snips, 70 an intent, with slots": _snips_slots,
    "20-intent bots, 10 an intent, far out of scope": _small_bot,
    "20-intent bots, 10 an intent, near out of scope": _near_bot,
}


if __name__ == "__main__":
    import os

    given = os.environ.get("NLU_DATA")
    for title, text in measure_understanding(Path(given) if given else None):
        print(f"{title}: {text}", flush=True)
