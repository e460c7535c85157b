"""docs/slack.md names what there is: settings, pictures, files."""

from __future__ import annotations

import re
from pathlib import Path

from bot.settings import Settings
from tests.slack.pictures.test_pictures import NAMES

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "slack.md").read_text(encoding="utf-8")


def test_every_setting_of_slack_is_explained_and_every_explained_one_exists() -> None:
    named = set(re.findall(r"\bSLACK_[A-Z_]+\b", TEXT))
    assert named == {name.upper() for name in Settings.model_fields if name.startswith("slack_")}


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)\s]+)\)", TEXT)
    assert len(links) >= 6
    assert [link for link in links if not (DOCS / link).is_file()] == []


def test_there_is_a_picture_of_every_kind_in_light_and_dark() -> None:
    wanted = {f"{name}-{theme}.png" for name in NAMES for theme in ("light", "dark")}
    assert {file.name for file in (DOCS / "pictures").glob("slack-*.png")} == wanted
