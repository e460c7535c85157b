"""Accounts that expire: reminders before, and a closing that waits for approval on the day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import structlog
from sqlalchemy import func, select

from bot.accounts import Account, Accounts
from bot.activity import Activity
from bot.card import Button, Card, Text
from bot.database import Transaction
from bot.database.tables import requests, touched
from bot.dialogue.placing import Placing
from bot.dialogue.session import Form
from bot.errors import NotFound, QuartermasterError
from bot.intent import Ask
from bot.plan import Plan
from bot.services import Services
from bot.tags import REQUEST
from bot.workflow.periodic import Job
from intents.accounts import definitions
from intents.accounts.changing import CHANGED
from intents.accounts.closing import BECAUSE, EXPIRED, CloseAccount
from intents.accounts.rights import service_address

log = structlog.get_logger(__name__)

LOOK = timedelta(hours=6)
ASK_AGAIN = timedelta(days=7)
"""How long a closing that was refused or lapsed is not asked for again."""


class Expiry:
    """Looks at all accounts that carry an expiry, a few times a day. Safe to repeat: each word is said once."""

    def __init__(self, services: Services, closing: CloseAccount) -> None:
        self._services, self._closing = services, closing

    @property
    def job(self) -> Job:
        """The job for the scheduler."""
        return Job("account-expiry", LOOK, self.look)

    async def look(self, last: datetime) -> None:
        """Remind owners, and ask for the closing of what has expired; one account's trouble holds up no other."""
        today = self._services.clock.now().date()
        for account in await Accounts(self._services).all():
            if account.expires is None or account.status != "ACTIVE":
                continue
            left = (account.expires - today).days
            try:
                if left <= 0:
                    await self._ask_to_close(account, account.expires, today)
                elif due := [d for d in self._services.house.expiry_reminder_days if left <= d]:
                    await self._remind(account, account.expires, left, min(due))
            except QuartermasterError as error:
                log.warning("accounts.expiry_failed", account=account.id, error=error.detail)

    async def _remind(self, account: Account, expires: date, left: int, threshold: int) -> None:
        key = f"expiry:{account.id}:{expires}:{threshold}"
        days = "tomorrow" if left == 1 else f"in {left} days"
        text = (
            f"The account {account.shown} expires {days}, on {expires}. Then its closing is asked for. "
            f"To keep it, say “{self._words(account)}”."
        )
        await self._tell(account, key, f"Your account {account.name} expires {days}", text, expires)

    async def _ask_to_close(self, account: Account, expires: date, today: date) -> None:
        """Place the request as its owner's, so that nobody approves the closing of their own account."""
        if await self._was_asked_lately(account.id):
            return
        services = self._services
        person = await services.people.of_email(account.owner or service_address(services))
        conversation = await self._conversation(account) or f"account:{account.id}"
        slots = {"Account": account.id, BECAUSE: EXPIRED}
        plan = await self._closing.prepare(Ask(person, slots, conversation, "schedule"))
        if plan.problems:
            await self._tell_why_not(account, expires, plan, today)
            return
        form = Form(definitions.CLOSE, slots, digest=plan.digest)
        key = f"expiry:{account.id}:{expires}:{services.clock.now():%Y%m%d%H%M}"
        activity = Activity(key, "schedule", conversation, person)
        placing = Placing(services, self._closing, form, plan, activity)
        await placing.require_approvable()

        async def work(transaction: Transaction) -> None:
            placed = await placing.commit(transaction)
            if not placed.request_id:
                return
            text = (
                f"The account {account.shown} has expired on {expires}. Request {placed.request_id} to close it is "
                f"placed and waits for approval. To keep the account, say “{self._words(account)}”."
            )
            await self._write(
                transaction, account, key, f"Your account {account.name} has expired", text, expires, conversation
            )

        await services.database.write(work)

    async def _tell_why_not(self, account: Account, expires: date, plan: Plan, today: date) -> None:
        reasons = " ".join(f"{c.sentence} {c.next_step}".strip() for c in plan.problems)
        week = today.isocalendar()
        text = (
            f"The account {account.shown} has expired on {expires}, but can't be closed. {reasons} "
            f"To keep the account, say “{self._words(account)}”."
        )
        key = f"expiry:{account.id}:{expires}:blocked:{week.year}-{week.week}"
        await self._tell(account, key, f"Your expired account {account.name} can't be closed", text, expires)

    async def _tell(self, account: Account, key: str, subject: str, text: str, expires: date) -> None:
        conversation = await self._conversation(account)

        async def work(transaction: Transaction) -> None:
            await self._write(transaction, account, key, subject, text, expires, conversation)

        await self._services.database.write(work)

    async def _write(
        self,
        transaction: Transaction,
        account: Account,
        key: str,
        subject: str,
        text: str,
        expires: date,
        conversation: str,
    ) -> None:
        """Say it once by mail to the owner, and once in the conversation where the account was asked for."""
        services = self._services
        if account.owner:
            letter = {
                "kind": "news",
                "to": account.owner,
                "subject": subject,
                "lines": [text],
                "rows": [["Account", account.shown], ["Root e-mail", account.email], ["Expires", expires.isoformat()]],
                "link": {"title": "Say it in the console", "url": services.settings.public_url},
            }
            await services.outbox.put(transaction, f"{key}:mail"[:255], "email", letter, pace=f"email:{account.owner}")
        if conversation:
            button = Button(f"Renew for {services.house.renew_days} days", "say", self._words(account))
            card = Card(subject, (Text(text),), (button,), tone="warning")
            await services.conversations.notify(transaction, conversation, key[:255], text, card, "")

    def _words(self, account: Account) -> str:
        return f"renew account {account.id} for {self._services.house.renew_days} days"

    async def _conversation(self, account: Account) -> str:
        """Return the conversation in which the account was asked for, empty when it was not asked for here."""
        try:
            return (await self._services.requests.find(account.tags.get(REQUEST, ""))).conversation
        except NotFound:
            return ""

    async def _was_asked_lately(self, account_id: str) -> bool:
        """Tell whether its closing is being asked for, or was in the last days."""
        query = (
            select(func.max(requests.c.created_at))
            .join(touched, touched.c.request_id == requests.c.id)
            .where(
                touched.c.kind == CHANGED,
                touched.c.resource == account_id,
                requests.c.intent == definitions.CLOSE,
            )
        )
        async with self._services.database.read() as connection:
            newest: datetime | None = (await connection.execute(query)).scalar_one()
        return newest is not None and self._services.clock.now() - newest < ASK_AGAIN
