"""docs/teams.md names what there is."""

from __future__ import annotations

import re
from pathlib import Path

from bot.settings import Settings
from tests.teams.pictures.test_pictures import NAMES

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "teams.md").read_text(encoding="utf-8")
SOURCES = "".join(f.read_text(encoding="utf-8") for f in sorted((DOCS.parent / "adapters" / "teams").glob("*.py")))


def test_every_setting_of_teams_is_explained_and_every_explained_one_exists() -> None:
    named = set(re.findall(r"\bTEAMS_[A-Z_]+\b", TEXT))
    assert named == {name.upper() for name in Settings.model_fields if name.startswith("teams_")}


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)\s]+)\)", TEXT)
    assert links
    assert [link for link in links if not (DOCS / link).is_file()] == []


def test_every_reason_that_is_explained_is_one_that_the_log_gives() -> None:
    reasons = re.findall(r"reason=([a-z_]+)", TEXT)
    assert len(reasons) >= 3
    assert [r for r in reasons if f'"{r}"' not in SOURCES] == []


def test_there_is_a_picture_of_every_kind_in_light_and_dark() -> None:
    wanted = {f"{name}-{theme}.png" for name in NAMES for theme in ("light", "dark")}
    assert {file.name for file in (DOCS / "pictures").glob("teams-*.png")} == wanted
