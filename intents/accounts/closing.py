"""Closing an account: what is lost is shown, what runs is not destroyed, and what can't be undone is said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from bot.account_factory import PRODUCT
from bot.accounts import account_of
from bot.closed_accounts import closing_times
from bot.intent import Ask, Definition, Segment
from bot.plan import Check, Plan
from bot.services import Services
from intents.accounts import definitions
from intents.accounts.changing import AccountChange, account_details, common_checks, product_checks, touched_by
from intents.accounts.closing_workflow import ClosingWorkflow
from intents.accounts.inside import SPEND_DAYS, Inside
from intents.accounts.quota import count_closures

BECAUSE, EXPIRED = "Because", "expired"
"""A slot that nobody is asked for: why the service itself asks for a closing."""
NOTHING = {"stacks": [], "resources": {}, "spend": "", "unseen": ""}


class CloseAccount(AccountChange):
    """Closes accounts: unmanaged first where Account Factory made them, then closed, and followed until they are."""

    refuses_protected = True

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._inside = Inside(services)
        self._workflow = ClosingWorkflow(services, self.factory)
        self.watchers = self._workflow.watchers()

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.define_close()

    def segments(self) -> Mapping[str, Segment]:
        """Return the workflow's segments."""
        return self._workflow.segments()

    async def gather(self, ask: Ask) -> Mapping[str, Any]:
        """Read the account, what is inside it, and how much of the closing quota is used."""
        facts = await self.facts(ask)
        may_look = not facts["protected"] and not facts["refusal"] and facts["account"]["status"] == "ACTIVE"
        today = date.fromisoformat(facts["today"])
        account_id = facts["account"]["id"]
        organization = await self.services.organization.recent()
        now = self.services.clock.now()
        closures = count_closures(
            organization.accounts, await closing_times(self.services.database), now, but=account_id
        )
        return {
            **facts,
            "product": await self.factory.product_of(account_id),
            "inside": await self._inside.look(account_id, facts["regions"], today) if may_look else NOTHING,
            "quota": {
                "limit": closures.quota,
                "certain": closures.certain,
                "is_used_up": closures.is_used_up,
                "may_be_used_up": closures.may_be_used_up,
                "next_free": closures.next_free.date().isoformat() if closures.next_free else "",
            },
        }

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        """Return the plan: unmanage, then close."""
        account, product, inside = account_of(facts["account"]), facts["product"], facts["inside"]
        is_ours = facts["slots"].get(BECAUSE) == EXPIRED
        effects: dict[str, Any] = {
            "call": "organizations:CloseAccount",
            "account_id": account.id,
            "root_email": account.email,
            "holds": sorted(inside["resources"]),
        }
        if product:
            effects |= {"unmanage": "servicecatalog:TerminateProvisionedProduct", PRODUCT: product["name"]}
            effects["provisioned_product_id"] = product["id"]
        unmanage = f"Account Factory lets go of it first (product {product['name']})" if product else "is not needed"
        return Plan(
            intent=definitions.CLOSE,
            summary=f"Close the {'expired ' if is_ours else ''}account {account.name} for good",
            effects=effects,
            details=(
                *account_details(facts),
                ("Root e-mail", f"{account.email}; it can never be used for another account"),
                ("Expires", str(account.expires or "never")),
                *((("Asked by", "the service itself, because the account has expired"),) if is_ours else ()),
                ("Deployments inside", ", ".join(inside["stacks"]) or "none"),
                ("Resources inside", _resource_words(inside["resources"])),
                (f"Spend of {SPEND_DAYS} days", inside["spend"] or "unknown"),
                ("Unmanaging", unmanage),
                ("Afterwards", "AWS keeps the closed account for 90 days, then deletes it and all that is inside"),
            ),
            checks=(*common_checks(facts), *_checks(facts, is_ours)),
            tier=self.tier(account),
            touches=touched_by(account),
            ask=self.approvers(account),
        )


def _resource_words(resources: Mapping[str, int]) -> str:
    words = ", ".join(f"{count} × {kind}" for kind, count in resources.items())
    return words or "none that carries a tag"


def _checks(facts: Mapping[str, Any], is_ours: bool) -> tuple[Check, ...]:
    account, product = account_of(facts["account"]), facts["product"]
    checks = [_deployments_check(facts["inside"]), _quota_check(facts["quota"])]
    if product:
        checks.extend(product_checks(product, {}))
    if is_ours and (account.expires is None or account.expires.isoformat() > facts["today"]):
        until = f"It stays until {account.expires}" if account.expires else "It does not expire any more"
        checks.append(Check("Expiry", "fails", f"{until}, so it is not closed."))
    return tuple(checks)


def _deployments_check(inside: Mapping[str, Any]) -> Check:
    if inside["stacks"]:
        sentence = f"Deployments are still inside: {', '.join(inside['stacks'])}."
        return Check("Deployments", "fails", sentence, next_step="Have these stacks deleted and ask again.")
    if inside["unseen"]:
        sentence = f"I can't look inside the account ({inside['unseen']}), so I can't tell whether anything runs there."
        step = "Ask your platform team to let the member role (MEMBER_ROLE_NAME) into it."
        return Check("Deployments", "fails", sentence, next_step=step)
    return Check("Deployments", "ok", "no stacks but Control Tower's own")


def _quota_check(quota: Mapping[str, Any]) -> Check:
    when = f"from {quota['next_free']} on" if quota["next_free"] else "later"
    used = f"{quota['certain']} of {quota['limit']} closings that AWS allows in 30 days are used"
    if quota["is_used_up"]:
        return Check("Closing quota", "fails", f"All {used}.", next_step=f"Ask again {when}.")
    if quota["may_be_used_up"]:
        return Check("Closing quota", "waits", f"{used}, and accounts were closed elsewhere: AWS may refuse for now.")
    return Check("Closing quota", "ok", used)
