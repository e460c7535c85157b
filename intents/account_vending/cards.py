"""What the requester sees of an order, and what to do about each way it can fail."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.card import Card, Checks, Facts, Item, Link, Text
from bot.errors import CloudError, without_arns
from bot.requests import RequestRecord
from bot.workflow.model import Done, Failed, Notice
from bot.workflow.run import Attempt


def unread(request_id: str, record_id: str, error: CloudError) -> Notice:
    """Tell that the order stands but can't be followed."""
    text = (
        f"The order of request {request_id} stands, but AWS can't be asked about it just now "
        f"({error.operation}: {error.code}). Your platform team should look at record {record_id} in Service Catalog; "
        "I keep looking and will tell you here. Don't ask for it a second time."
    )
    return Notice("unread", text, Card("Waiting for AWS", (Text(text),), tone="warning", request=request_id))


def overdue(request_id: str, record_id: str) -> Notice:
    """Tell that Control Tower takes far longer than usual."""
    text = (
        f"Control Tower has worked on the order of request {request_id} for more than two hours, far longer than "
        f"usual. Your platform team should look at record {record_id} in Service Catalog; I keep looking and will "
        "tell you here."
    )
    return Notice("overdue", text, Card("Overdue", (Text(text),), tone="warning", request=request_id))


def never_ordered(record: RequestRecord, refusal: CloudError) -> Failed:
    """Tell that AWS refuses the order, and that an earlier try whose answer got lost has left none."""
    text = f"{refusal.plain} An earlier try had no answer; Service Catalog was looked through, and nothing was ordered."
    step = f"Show AWS request id {refusal.request_id or '(none)'} to your platform team, then ask again."
    card = Card(f"Failed: {record.plan.summary}", (Text(text), Text(step)), tone="bad", request=record.id)
    return Failed(Notice("failed", f"Request {record.id} failed. {text} {step}", card), text, step)


def ordered(record: RequestRecord, record_id: str) -> Notice:
    """Tell that the order went out."""
    text = (
        f"Request {record.id}: the account {record.plan.effects['parameters']['AccountName']} is ordered. "
        "Control Tower usually takes 20 to 30 minutes; I will tell you here when it is ready."
    )
    items = (Text(text), Facts((("Service Catalog record", record_id),)))
    return Notice("ordered", text, Card(f"Ordered: {record.plan.summary}", items, request=record.id))


def ready(record: RequestRecord, account_id: str, portal: str, attempts: Sequence[Attempt] = ()) -> Done:
    """Tell the account id, where to sign in, and what was done for the account beside making it."""
    name = record.plan.effects["parameters"]["AccountName"]
    person = record.plan.effects["parameters"]["SSOUserEmail"]
    text = f"Account {name} is ready: {account_id}."
    sign_in = f"Sign in as {person} at {portal}" if portal else f"Sign in as {person} at your AWS access portal"
    items: tuple[Item, ...] = (Facts((("Account id", account_id), ("Account name", name), ("Sign in as", person))),)
    if attempts:
        items = (*items, _steps(attempts))
    if portal:
        items = (*items, Link("Sign in to AWS", portal))
    card = Card(f"Ready: {name}", items, tone="good", request=record.id)
    notice = Notice("ready", f"Request {record.id}: {text} {sign_in}.", card)
    return Done(notice, text, f"{sign_in}.", {"account_id": account_id, "account_name": name, "sign_in": portal})


def finishing(record: RequestRecord, account_id: str, attempts: Sequence[Attempt], retries: int) -> Notice:
    """Tell that the account is made, and what is still to come before it is ready; once per retry."""
    name = record.plan.effects["parameters"]["AccountName"]
    left = [a for a in attempts if not a.ok]
    text = (
        f"Request {record.id}: Control Tower has made the account {name} ({account_id}). Before it can be used, "
        f"{_counted(len(left))} left: {', '.join(a.name for a in left)}. I go on by myself and tell you here."
    )
    card = Card(f"Made: {name}", (Text(text), _steps(attempts)), request=record.id)
    return Notice(f"finishing:{retries}", text, card)


def unfinished(record: RequestRecord, account_id: str, attempts: Sequence[Attempt], retry: Mapping[str, Any]) -> Failed:
    """Tell which finishing steps failed, why, and how they are mended; the account stays."""
    name = record.plan.effects["parameters"]["AccountName"]
    failing = [a for a in attempts if not a.ok]
    reasons = "; ".join(f"“{a.name}” ({a.error.rstrip('. ')})" for a in failing)
    text = (
        f"The account {name} ({account_id}) was made, but {_counted(len(failing))} not done, "
        f"so it is not ready yet: {reasons}."
    )
    step = (
        f"Don't order it again. When the cause is mended, an operator says “retry {record.id}”, or "
        f"“record step {failing[0].name} of {record.id} as done because …”."
    )
    items = (Text(text), Facts((("Account id", account_id),)), _steps(attempts), Text(step))
    card = Card(f"Not ready: {name}", items, tone="bad", request=record.id)
    yields = {"account_id": account_id, "account_name": name, "failed_steps": [a.name for a in failing]}
    return Failed(Notice("failed", f"Request {record.id} failed. {text} {step}", card), text, step, yields, retry)


def _counted(number: int) -> str:
    return "1 step is" if number == 1 else f"{number} steps are"


def _steps(attempts: Sequence[Attempt]) -> Checks:
    return Checks(
        tuple(
            ("done" if a.ok else "running" if a.running else "failed", a.name, "done" if a.ok else a.error)
            for a in attempts
        )
    )


def failed(record: RequestRecord, outcome: Mapping[str, Any]) -> Failed:
    """Explain a failed order: what happened, what state it left, and what to do."""
    reason = "; ".join(without_arns(e).rstrip(". ") for e in outcome["errors"]) or "Control Tower gave no reason"
    state = outcome["product_status"]
    account_id = outcome["outputs"].get("AccountId", "")
    if state == "TAINTED":
        text = f"The order failed after the account was made: {reason}."
        step = (
            f"The account {account_id or 'of that address'} exists but is not finished (TAINTED). "
            "Have your platform team update the provisioned product "
            f"{record.plan.effects['provisioned_product_name']} in Service Catalog to finish it. Don't terminate it: "
            "that would take the account out of its OU and its guardrails."
        )
    elif state == "ERROR":
        text = f"The order failed before there was an account: {reason}."
        step = _cure(reason)
    else:
        text = f"The order ended in the state {outcome['record_status']} / {state}: {reason}."
        step = "Ask your platform team to look at the record in Service Catalog before anything is ordered again."
    rows = (("Service Catalog", f"record {outcome['record_status']}, product {state}"),)
    rows += (("Account id", account_id),) if account_id else ()
    card = Card(f"Failed: {record.plan.summary}", (Text(text), Facts(rows), Text(step)), tone="bad", request=record.id)
    notice = Notice("failed", f"Request {record.id} failed. {text} {step}", card)
    yields = {"account_id": account_id} if account_id else {}
    return Failed(notice, text, step, {**yields, "product_status": state})


_CURES = (
    (
        r"e-?mail.*(already|in use|exist)|EMAIL_ALREADY_EXISTS",
        "Ask again with a root address that no account has used.",
    ),
    (r"limit|quota|exceed", "Ask your platform team to raise the quota, then ask again."),
    (r"concurren|in progress|another operation", "Ask again in half an hour, when Control Tower is less busy."),
    (r"organi[sz]ational unit|\bOU\b", "Ask again with an OU that is registered with Control Tower."),
)


def _cure(reason: str) -> str:
    for pattern, cure in _CURES:
        if re.search(pattern, reason, re.IGNORECASE):
            return cure
    return "Nothing was left behind; ask again, and show your platform team the reason if it fails once more."
