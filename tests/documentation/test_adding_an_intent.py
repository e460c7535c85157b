"""The guide's toy intent is taken from the guide and really works, touching only its own folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import intents
from tests.support.stage import Theatre

ROOT = Path(__file__).parents[2]


def toy() -> str:
    guide = (ROOT / "docs" / "adding-an-intent.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(# intents/regions/__init__\.py\n.*?)```", guide, re.DOTALL)
    assert found
    return found[1]


def test_the_toy_is_under_60_lines() -> None:
    assert len(toy().splitlines()) < 60


async def test_the_toy_answers(theatre: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "more_intents" / "regions"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(toy(), encoding="utf-8")
    monkeypatch.setattr(intents, "__path__", [*intents.__path__, str(folder.parent)])
    (tmp_path / "var").mkdir()
    async with theatre.open_stage(tmp_path / "var") as stage:
        ana = stage.speaker("Ana Lopez")
        await ana.says("which regions may I use?")
        ana.hears("us-east-1")
        await ana.says("help")
        ana.hears("which regions may I use")
