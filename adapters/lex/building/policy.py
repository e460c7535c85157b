"""The least IAM policies for Lex: for who deploys, and for the bot at run time.

`policy.json` beside this file is written from the calls in the code (`python -m tools.iam write`), like docs/aws.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

WRITTEN = Path(__file__).with_name("policy.json")
ROLES = ("deployer", "bot")


def least_policy(
    role: str, *, region: str = "*", account: str = "*", bot_id: str = "*", alias_id: str = "*"
) -> dict[str, Any]:
    """Return the policy of one of `ROLES`, with these names in its ARNs."""
    text = json.dumps(json.loads(WRITTEN.read_text(encoding="utf-8"))[role])
    names = {"LEX_BOT_ALIAS_ID": alias_id, "LEX_BOT_ID": bot_id, "REGION": region, "BOT_ACCOUNT": account}
    for placeholder, name in names.items():
        text = text.replace(placeholder, name)
    policy: dict[str, Any] = json.loads(text)
    return policy
