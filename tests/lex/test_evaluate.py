"""`lex evaluate` teaches the engine a data set and measures it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.lex.evaluation.measuring import auroc
from adapters.lex.evaluation.rows import Row, read_rows
from bot.commands import main

TRAIN: list[dict[str, Any]] = [
    {"text": f"{verb} {article} {thing}", "intent": intent}
    for intent, verbs in {"lamp_on": ("switch on", "light", "turn on"), "song_play": ("play", "put on", "hear")}.items()
    for verb in verbs
    for article, thing in {
        "lamp_on": (("the", "lamp"), ("my", "lights")),
        "song_play": (("a", "song"), ("my", "music")),
    }[intent]
]
CITIES: list[dict[str, Any]] = [
    {"text": text, "intent": "weather", "slots": [{"name": "city", "start": text.index(city), "end": len(text)}]}
    for city in ("Oslo", "Lima")
    for text in (f"weather in {city}", f"will it rain in {city}", f"how warm is {city}")
]


def rows(folder: Path, name: str, entries: list[dict[str, Any]]) -> str:
    file = folder / f"{name}.jsonl"
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    return str(file)


def test_the_last_line_is_one_json_object_with_every_figure(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    test: list[dict[str, Any]] = [
        {"text": "please light the lamp", "intent": "lamp_on"},
        {"text": "play some music", "intent": "song_play"},
        {"text": "weather in Lima", "intent": "weather", "slots": [{"name": "city", "start": 11, "end": 15}]},
    ]
    strangers: list[dict[str, Any]] = [
        {"text": "who wrote the constitution"},
        {"text": "my knee hurts", "intent": "oos"},
    ]
    files = [
        "--train", rows(tmp_path, "train", TRAIN + CITIES), "--test", rows(tmp_path, "test", test),
        "--oos", rows(tmp_path, "oos", strangers),
    ]  # fmt: skip
    assert main(["lex", "evaluate", *files, "--json"]) == 0
    figures = json.loads(capfd.readouterr().out.splitlines()[-1])
    assert {name: figures[name] for name in ("accuracy", "in_scope_accepted", "oos_recall", "auroc", "slot_f1")} == {
        "accuracy": 1.0, "in_scope_accepted": 1.0, "oos_recall": 1.0, "auroc": 1.0, "slot_f1": 1.0,
    }  # fmt: skip
    assert set(figures) >= {"p50_ms", "p99_ms", "train_s", "start_s", "rss_mb"}
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]
    assert figures["rss_mb"] > 10, "numpy alone takes more"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "train.jsonl:1"),
        ('{"intent": "a"}', "'text'"),
        ('{"text": "", "intent": "a"}', "needs a text"),
        ('{"text": "abc", "intent": "a", "slots": [{"name": "x", "start": 2, "end": 9}]}', "lie in the text"),
        ('{"text": "abc", "intent": "oos"}', "name no intent"),
        ('{"text": "abc", "intent": "a", "slots": {"x": "d"}}', "'d' of the slot x does not stand"),
        ("[1]", "no JSON object"),
        ("", "holds no rows"),
    ],
)
def test_what_is_no_data_set_is_refused_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, why: str
) -> None:
    file = tmp_path / "train.jsonl"
    file.write_text(line + "\n", encoding="utf-8")
    assert main(["lex", "evaluate", "--train", str(file), "--test", rows(tmp_path, "test", TRAIN)]) == 2
    assert why in capsys.readouterr().err


def test_rows_are_read_as_others_write_them(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    lines = [
        '{"text": "from Oslo to \u2028 oslo", "intent": "fly", "slots": '
        '[{"slot": "a", "value": "Oslo"}, {"name": "b", "value": "Oslo"}]}',
        '{"text": "rain in Rome", "intent": "weather", "slots": {"city": "Rome", "day": null}}',
        '{"text": "my knee hurts", "intent": null}',
    ]
    file.write_text("\r\n".join(lines), encoding="utf-8-sig", newline="")
    assert read_rows(file) == [
        Row("from Oslo to \u2028 oslo", "fly", (("a", 5, 9), ("b", 15, 19))),
        Row("rain in Rome", "weather", (("city", 8, 12),)),
        Row("my knee hurts", "oos"),
    ]


def test_ranking_counts_ties_half() -> None:
    assert auroc([0.9, 0.5], [0.5, 0.1]) == 0.875
    assert auroc([], [0.1]) is None
