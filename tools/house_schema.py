"""Writes docs/house.schema.json, by which editors complete and check house.yml: `python -m tools.house_schema`."""

from __future__ import annotations

import json
from pathlib import Path

from bot.house import House

SCHEMA = Path(__file__).resolve().parent.parent / "docs" / "house.schema.json"


def schema_text() -> str:
    """Return the JSON Schema (draft 2020-12) of house.yml as the file holds it."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **House.model_json_schema(),
        "title": "house.yml of Quartermaster",
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(schema_text(), encoding="utf-8")
