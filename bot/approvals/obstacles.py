"""Whether what is demanded can be met at all: told before anybody is asked in vain, with the way out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from bot.activity import Person
from bot.approvals.office import Office, Whom, is_same_person
from bot.plan import Plan
from bot.policy import Circumstances, Subject


class Obstacles:
    """Finds what stands in the way of an approval; see Approvals."""

    def __init__(self, office: Office) -> None:
        self._office = office

    async def of_plan(self, plan: Plan, requester: str, values: Mapping[str, str]) -> str:
        """Return why such a plan could never be approved, with the way out; empty when it could."""
        whom = self._office.whom(plan, requester, values)
        if whom.requirement.is_none:
            return ""
        about = (plan.account, plan.monthly_usd, plan.stacks)
        subject = Subject("", plan.intent, plan.tier, requester, whom.approvers, values, *about)
        return await self.of_subject(whom, subject)

    async def of_subject(
        self, whom: Whom, subject: Subject, holders: Sequence[tuple[str, ...]] = (), decided: Sequence[str] = ()
    ) -> str:
        """Return why a request can't be approved, like `of_plan`.

        `holders` are the names under which those count who approved already, `decided` their addresses.
        """
        able, away = await self._able(whom, subject)
        able = {person: names for person, names in able.items() if person not in decided}
        if not whom.requirement.missing([*holders, *able.values()]):
            return ""
        if whom.requirement.asks_directory:
            await self._add_others(able, whom, subject, holders, decided)
            if not whom.requirement.missing([*holders, *able.values()]):
                return ""
        return self._words(whom, subject.requester, list(able), away)

    async def _able(self, whom: Whom, subject: Subject) -> tuple[dict[str, tuple[str, ...]], list[str]]:
        """Return those who could decide among the asked, with the names they count under, and who is away."""
        office = self._office
        able: dict[str, tuple[str, ...]] = {}
        lapses = office.after(office.clock.now(), office.hours)
        async with office.database.read() as connection:
            absences = await office.delegations.of_approvers(connection, whom.approvers, subject.requester)
        away = []
        for seat in whom.approvers:
            if is_same_person(seat, subject.requester):
                continue
            absence = absences.get(seat)
            person = absence.delegate if absence else seat
            if absence and not absence.delegate and absence.until < lapses:
                person = seat  # back in time
            elif absence and not person:
                away.append(f"{seat} is away until {absence.until:%Y-%m-%d}, and nobody stands in")
                continue
            asked = (*subject.approvers, person)
            is_able = self._could(person, Subject(**{**vars(subject), "approvers": asked}))
            if absence and person != seat and not is_able:
                away.append(f"{seat} is away until {absence.until:%Y-%m-%d}, and {person} may not decide this")
            if is_able:
                able[person] = tuple(dict.fromkeys((*able.get(person, ()), *office.holder(seat))))
        return able, away

    async def _add_others(
        self,
        able: dict[str, tuple[str, ...]],
        whom: Whom,
        subject: Subject,
        holders: Sequence[tuple[str, ...]],
        decided: Sequence[str],
    ) -> None:
        """Add those who were not asked but whom policy lets decide, until it is enough."""
        for number, address in enumerate(self._office.directory.everybody()):
            if number % 10 == 9:
                await asyncio.sleep(0)  # of thousands of people, each takes a millisecond that others wait for
            if address not in (*able, *whom.approvers, *decided) and self._could(address, subject):
                able[address] = self._office.holder(address)
                if not whom.requirement.missing([*holders, *able.values()]):
                    return

    def _could(self, address: str, subject: Subject) -> bool:
        """Tell whether policy lets somebody decide, now or at a better hour."""
        policy, person = self._office.policy, Person("", address)
        return any(
            policy.may_approve(person, subject, channel="console", circumstances=when).allowed
            for when in (None, Circumstances.mildest())
        )

    @staticmethod
    def _words(whom: Whom, requester: str, able: Sequence[str], away: Sequence[str]) -> str:
        if whom.requirement.is_several or whom.requirement.names:
            text = f"Nobody could approve this: it needs {whom.requirement.words}, and "
            text += f"only {' and '.join(able)} could decide it" if able else "none of them could decide it"
            text += "" if not any(is_same_person(a, requester) for a in whom.approvers) else ", yourself not counted"
            text += "."
        else:
            text = "Nobody could approve this: you are the only approver, or policy lets nobody decide it."
        if away:
            text += f" {'; '.join(away)}."
        return (
            text
            + " Ask your platform team to name another approver (APPROVERS or directory.yml)"
            + (", or those who are away to name somebody else who stands in." if away else ".")
        )
