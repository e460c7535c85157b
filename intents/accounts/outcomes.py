"""How a change of an account is told to have succeeded."""

from __future__ import annotations

from bot.card import Card, Facts, Text
from bot.workflow.model import Done, Notice
from bot.workflow.run import Run


def done(run: Run, text: str, next_step: str = "", rows: tuple[tuple[str, str], ...] = ()) -> Done:
    """Return the end of a request that went well."""
    record, account = run.request, run.request.plan.effects["account_id"]
    items = (Text(text), *((Facts(rows),) if rows else ()), *((Text(next_step),) if next_step else ()))
    card = Card(f"Done: {record.plan.summary}", items, tone="good", request=record.id)
    notice = Notice("done", f"Request {record.id}: {text} {next_step}".strip(), card)
    return Done(notice, text, next_step, {"account_id": account})
