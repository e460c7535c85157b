"""What people see of products: in lists, on the way, at the end, and what to do about each way it can fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.card import Button, Card, Facts, Item, Table, Text
from bot.errors import without_arns
from bot.requests import RequestRecord
from bot.workflow.mending import RETRIES
from bot.workflow.model import Done, Failed, Notice
from intents.products.definition import ORDER, TERMINATION, UPDATE

_VERBS = {ORDER: "is ordered", UPDATE: "is being updated", TERMINATION: "is being terminated"}


def begun(record: RequestRecord, record_id: str) -> Notice:
    """Tell that AWS has taken the call."""
    name = record.plan.effects["provisioned_product_name"]
    text = f"Request {record.id}: {name} {_VERBS[record.intent]}. I will tell you here when that has ended."
    items = (Text(text), Facts((("Service Catalog record", record_id),)))
    return Notice(
        f"begun:{record.notes.get(RETRIES, 0)}",
        text,
        Card(f"Under way: {record.plan.summary}", items, request=record.id),
    )


def available(record: RequestRecord, outcome: Mapping[str, Any], product_id: str) -> Done:
    """Tell that an order is there, and what it put out."""
    name = record.plan.effects["provisioned_product_name"]
    return _done(record, outcome, product_id, f"{name} is ready.", f"Say “show product {name}” to see it again.")


def updated(record: RequestRecord, outcome: Mapping[str, Any], product_id: str) -> Done:
    """Tell that an update is carried out."""
    name = record.plan.effects["provisioned_product_name"]
    return _done(record, outcome, product_id, f"{name} is updated.", f"Say “show product {name}” to see it.")


def terminated(record: RequestRecord) -> Done:
    """Tell that a product is gone."""
    name = record.plan.effects["provisioned_product_name"]
    lost = record.plan.effects["lost"]
    count = f" {len(lost)} resources were deleted with it." if isinstance(lost, list) and lost else ""
    text = f"{name} is terminated.{count}"
    card = Card(f"Terminated: {name}", (Text(text),), tone="good", request=record.id)
    return Done(Notice("done", f"Request {record.id}: {text}", card), text, "", {"provisioned_product": name})


def _done(record: RequestRecord, outcome: Mapping[str, Any], product_id: str, text: str, step: str) -> Done:
    name = record.plan.effects["provisioned_product_name"]
    rows = output_rows(outcome["outputs"])
    items: tuple[Item, ...] = (Text(text), *((Facts(rows),) if rows else ()), Text(step, subtle=True))
    card = Card(f"Ready: {name}", items, tone="good", request=record.id)
    words = "; ".join(f"{key}: {value}" for key, value in rows)
    told = f"Request {record.id}: {text}" + (f" {words}." if words else "") + f" {step}"
    yields = {
        "provisioned_product": name,
        "provisioned_product_id": product_id,
        "outputs": {o["OutputKey"]: o.get("OutputValue", "") for o in outcome["outputs"]},
    }
    return Done(Notice("ready", told, card), text, step, yields)


def output_rows(outputs: list[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Return outputs as rows; secrets were withheld where they were read."""
    return tuple((o["OutputKey"], o.get("OutputValue", "")) for o in outputs)


def failed_order(record: RequestRecord, outcome: Mapping[str, Any], product_id: str) -> Failed:
    """Explain a failed order: what happened, what state it left, and what to do."""
    name, state, reason = record.plan.effects["provisioned_product_name"], outcome["product_status"], _reason(outcome)
    if state == "TAINTED":
        text = f"The order failed after something of {name} was made: {reason}."
        step = (
            f"{name} exists but is not whole (TAINTED). Say “update {name}” to have it finished, or "
            f"“terminate {name}” to have what there is removed."
        )
    elif state == "ERROR":
        text = f"The order failed before anything of {name} was made: {reason}."
        step = f"Mend that, then ask again under another name, or say “terminate {name}” first to free the name."
    else:
        text = f"The order ended in the state {outcome['record_status']} / {state}: {reason}."
        step = "Ask your platform team to look at the record in Service Catalog before anything is ordered again."
    return _failed(record, outcome, text, step, {"provisioned_product_id": product_id})


def failed_update(record: RequestRecord, outcome: Mapping[str, Any]) -> Failed:
    """Explain a failed update."""
    name, state, reason = record.plan.effects["provisioned_product_name"], outcome["product_status"], _reason(outcome)
    text = f"The update of {name} failed: {reason}."
    if state == "TAINTED":
        step = f"{name} may be changed in part (TAINTED). Say “update {name}” to try again, or ask your platform team."
    elif state == "AVAILABLE":
        step = f"{name} is as it was. Mend that, then ask again; an operator can also retry {record.id}."
    else:
        step = f"{name} is in the state {state}. Ask your platform team to look at it in Service Catalog."
    return _failed(record, outcome, text, step, {})


def failed_termination(record: RequestRecord, outcome: Mapping[str, Any]) -> Failed:
    """Explain a failed termination: something is still there."""
    name, reason = record.plan.effects["provisioned_product_name"], _reason(outcome)
    text = f"The termination of {name} failed: {reason}."
    step = (
        f"{name} is still there, perhaps in part ({outcome['product_status']}), and may still cost money. Mend that "
        f"and say “terminate {name}” again; an operator can retry {record.id}."
    )
    return _failed(record, outcome, text, step, {})


def _failed(
    record: RequestRecord, outcome: Mapping[str, Any], text: str, step: str, yields: Mapping[str, Any]
) -> Failed:
    name, state = record.plan.effects["provisioned_product_name"], outcome["product_status"]
    rows = (("Service Catalog", f"record {outcome['record_status']}, product {state}"),)
    card = Card(f"Failed: {record.plan.summary}", (Text(text), Facts(rows), Text(step)), tone="bad", request=record.id)
    notice = Notice("failed", f"Request {record.id} failed. {text} {step}", card)
    return Failed(notice, text, step, {"provisioned_product": name, "product_status": state, **yields})


def can_be_retried(failed: Failed) -> Failed:
    """Let operators have the call made again, with a token of its own."""
    return replace(failed, retry={"segment": "start", "payload": {}})


def _reason(outcome: Mapping[str, Any]) -> str:
    return "; ".join(without_arns(e).rstrip(". ") for e in outcome["errors"]) or "Service Catalog gave no reason"


def catalog_card(products: list[dict[str, str]], accounts: frozenset[str], more: int) -> Card:
    """Return what can be ordered, with a button each."""
    rows = tuple((p["name"], p["description"] or "—") for p in products)
    buttons = tuple(_order_button(p["name"], is_account=p["name"] in accounts) for p in products)
    notes: tuple[Item, ...] = ()
    if more:
        notes = (Text(f"There are {more} more. Say “order …” with the name of what you need.", subtle=True),)
    return Card("What you can order", (Table(("Product", "What it is"), rows), *notes), buttons)


def _order_button(name: str, *, is_account: bool) -> Button:
    if is_account:
        return Button("Order an AWS account", "say", "order an AWS account")
    return Button(f"Order {name}", "say", f"order the product {name}")


def products_card(products: list[dict[str, Any]], more: int) -> Card:
    """Return somebody's products."""
    rows = tuple((p["name"], p["product"], p["version"] or "—", p["status"]) for p in products)
    notes = (Text(f"And {more} more.", subtle=True),) if more else ()
    buttons = tuple(Button(f"Show product {p['name']}", "say", f"show product {p['name']}") for p in products[:5])
    return Card("Your products", (Table(("Name", "Product", "Version", "State"), rows), *notes), buttons)
