"""Houses with rules of their own, and bots that keep them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.support.stage import Stage, Theatre

RULES = """
account_types:
  - name: Production
    tier: production
    ous: [Workloads/Prod]
    approvers: [cfo@corp.example]
  - name: Sandbox
    synonyms: [playground]
    ous: [Demos, Experiment]
    expires_days: 90
    tags: {data: none}
suggested_ous: [Experiment, Demos]
root_email_domains: [corp.example]
account_name_pattern: "[a-z]+-[a-z0-9-]+"
account_name_hint: "Names look like team-purpose; say “call it team-x-web”."
extra_slots:
  - name: owner
  - name: cost centre
    pattern: "cc-[0-9]{4}"
    hint: Cost centres look like cc-4711.
  - name: data class
    kind: choice
    choices: [public, internal, secret]
"""


@asynccontextmanager
async def open_house(
    theatre: Theatre, folder: Path, rules: str, *, database_url: str = "", slack: bool = False, **settings: Any
) -> AsyncIterator[Stage]:
    """Run a bot whose house.yml says this."""
    house = folder / "house.yml"
    house.write_text(rules, encoding="utf-8")
    async with theatre.open_stage(
        folder, database_url=database_url, house_file=house, slack=slack, **settings
    ) as stage:
        yield stage
