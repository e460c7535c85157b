"""Changes that are kept in an account's tags: its owner, and how long it stays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from bot.accounts import Account, account_of
from bot.errors import CloudError, Conflict
from bot.intent import Ask, Definition, Segment
from bot.people import address_meant
from bot.plan import Check, Plan
from bot.requests import RequestRecord
from bot.tags import EXPIRES, OWNER
from bot.workflow.model import SegmentResult
from bot.workflow.run import Run
from intents.accounts import definitions
from intents.accounts.changing import CHANGED, EXPIRY, AccountChange, account_details, common_checks, touched_by
from intents.accounts.outcomes import done


class ChangeAccountOwner(AccountChange):
    """Names another owner."""

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.define_change_owner()

    async def validate(self, slot: str, value: str, ask: Ask) -> str:
        """Return the new owner's address, case-folded."""
        return address_meant(value, ask.person) if slot == "NewOwner" else await super().validate(slot, value, ask)

    async def gather(self, ask: Ask) -> Mapping[str, Any]:
        """Read the account, and whether Identity Center knows the new owner."""
        return {**await self.facts(ask), "known": await self._knows(ask.slots["NewOwner"])}

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        """Return the plan."""
        account, owner = account_of(facts["account"]), facts["slots"]["NewOwner"]
        return Plan(
            intent=definitions.CHANGE_OWNER,
            summary=f"Make {owner} the owner of the account {account.name}",
            effects={"call": "organizations:TagResource", "account_id": account.id, "tags": {OWNER: owner}},
            details=(*account_details(facts), ("New owner", owner)),
            checks=(*common_checks(facts), *_owner_checks(account, owner, facts["known"])),
            tier=self.tier(account),
            touches=touched_by(account),
            ask=self.approvers(account),
        )

    def segments(self) -> Mapping[str, Segment]:
        """Return the one segment."""
        return {"start": self._start}

    async def _start(self, run: Run) -> SegmentResult:
        await tag_account(self, run, "name the new owner")
        owner = run.request.plan.effects["tags"][OWNER]
        text = f"The owner of the account {dict(run.request.plan.details)['Account']} is {owner} now."
        return done(run, text, "Sign-in rights are not changed by this.")

    async def _knows(self, email: str) -> bool | None:
        """Tell whether Identity Center has a user of that address; None where it can't be asked."""
        try:
            instances = (await self.factory.ask_aws("sso-admin", "ListInstances"))["Instances"]
            if not instances:
                return None
            await self.factory.ask_aws(
                "identitystore",
                "GetUserId",
                IdentityStoreId=instances[0]["IdentityStoreId"],
                AlternateIdentifier={"UniqueAttribute": {"AttributePath": "emails.value", "AttributeValue": email}},
            )
        except CloudError as error:
            if error.code == "ResourceNotFoundException":
                return False
            if error.retryable:
                raise
            return None
        return True


def _owner_checks(account: Account, owner: str, known: bool | None) -> tuple[Check, ...]:
    if owner == account.owner:
        return (Check("Owner", "fails", f"{owner} is the owner already.", "NewOwner", "Name somebody else."),)
    if known is None:
        return (Check("Identity Center", "waits", "Identity Center can't be asked whether it knows the new owner."),)
    if not known:
        sentence = f"Identity Center has no user with the address {owner}: they can't sign in until they are added."
        return (Check("Identity Center", "waits", sentence),)
    return (Check("Identity Center", "ok", f"{owner} has a user"),)


class RenewAccount(AccountChange):
    """Lets an account that expires stay for some more days."""

    def define(self) -> Definition:
        """Return the definition."""
        return definitions.define_renew(self.services.house.renew_days)

    async def gather(self, ask: Ask) -> Mapping[str, Any]:
        """Read the account and for how long the house renews."""
        return {**await self.facts(ask), "days": self.services.house.renew_days}

    def plan(self, facts: Mapping[str, Any]) -> Plan:
        """Return the plan; an account that has expired long since is renewed from today's period on."""
        account, days = account_of(facts["account"]), int(facts["days"])
        before, today = account.expires, date.fromisoformat(facts["today"])
        checks, until = list(common_checks(facts)), before
        if before is None:
            checks.append(Check("Expiry", "fails", f"{account.shown} does not expire.", slot="Account"))
        else:
            periods = max(1, -(-((today - before).days + 1) // days))
            until = before + timedelta(days=days * periods)
            checks.append(Check("Expiry", "ok", f"it expires on {before}"))
        return Plan(
            intent=definitions.RENEW,
            summary=f"Renew the account {account.name} for {days} days",
            effects={
                "call": "organizations:TagResource",
                "account_id": account.id,
                "tags": {EXPIRES: until.isoformat() if until else ""},
            },
            details=(*account_details(facts), ("Expires", str(before or "never")), ("New expiry", str(until or "—"))),
            checks=tuple(checks),
            tier=self.tier(account),
            touches=touched_by(account, EXPIRY),
            ask=self.approvers(account),
        )

    def segments(self) -> Mapping[str, Segment]:
        """Return the one segment."""
        return {"start": self._start}

    async def _start(self, run: Run) -> SegmentResult:
        await tag_account(self, run, "renew the account")
        withdrawn = await run.step("withdraw the closing that expiry asked for", lambda: self._withdraw_closing(run))
        rows, until = dict(run.request.plan.details), run.request.plan.effects["tags"][EXPIRES]
        text = f"The account {rows['Account']} stays until {until}."
        return done(run, text, f"Request {withdrawn}, which would have closed it, is withdrawn." if withdrawn else "")

    async def _withdraw_closing(self, run: Run) -> str:
        """Cancel the closing that waits because the account had expired; empty when there is none."""
        standing: RequestRecord | None = await self.services.requests.open_on(
            CHANGED, run.request.plan.effects["account_id"]
        )
        if standing is None or standing.intent != definitions.CLOSE or "Because" not in standing.slots:
            return ""
        try:
            await self.services.requests.cancel(
                standing.id, standing.requester, surface="renewal", reason=f"renewed by {run.request.id}"
            )
        except Conflict:
            return ""  # being carried out already: nothing that a renewal could call back
        return standing.id


async def tag_account(change: AccountChange, run: Run, words: str) -> None:
    """Put the plan's tags on its account; the same tags again change nothing."""
    effects = run.request.plan.effects
    await run.begin_changing()

    async def put() -> bool:
        tags = [{"Key": key, "Value": value} for key, value in effects["tags"].items()]
        await change.factory.ask_aws("organizations", "TagResource", ResourceId=effects["account_id"], Tags=tags)
        return True

    await run.step(words, put)
    await change.services.organization.changed()
