"""`lex evaluate`: how well the embedded engine understands a data set that it is taught."""

from __future__ import annotations

import argparse
import importlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any


def add_to(deeds: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of `lex`."""
    command = deeds.add_parser(
        "evaluate",
        help="teach the embedded engine a data set, and measure it",
        description="Rows are JSON lines: text, intent, and perhaps slots (name, start, end). The engine is taught "
        "the rows of --train alone, with the product's own settings; shares are between 0 and 1, at the threshold 0.4.",
    )
    command.add_argument("--train", type=Path, required=True, help="rows to learn from")
    command.add_argument("--test", type=Path, required=True, help='rows to be understood; "oos" is none of the intents')
    command.add_argument("--oos", type=Path, help="more rows that are none of the intents")
    command.add_argument("--json", action="store_true", help="print one JSON object")


def run(chosen: argparse.Namespace) -> int:
    """Measure and print; raises Invalid when a file can't be read."""
    reading: Any = importlib.import_module("adapters.lex.evaluation.rows")
    measuring: Any = importlib.import_module("adapters.lex.evaluation.measuring")
    rows = [reading.read_rows(file) if file else [] for file in (chosen.train, chosen.test, chosen.oos)]
    report = asdict(measuring.evaluate(*rows))
    figures = {name: value if value is None else round(value, 4) for name, value in report.items()}
    if chosen.json:
        print(json.dumps(figures))
        return 0
    width = max(map(len, figures))
    for name, value in figures.items():
        print(f"{name:<{width}}  {'-' if value is None else f'{value:.4f}':>10}")
    return 0
