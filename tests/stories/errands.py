"""What stories do again and again on the way to what they are about."""

from __future__ import annotations

from tests.support.stage import Approver, Speaker, Stage

ANSWERS = (
    ("what account type do you want?", "Sandbox"),
    ("What account type do you want?", "Sandbox"),
    ("what e-mail should I use", "{mailbox}"),
    ("What e-mail should I use", "{mailbox}"),
    ("what is the OU", "Demos"),
    ("What is the OU", "Demos"),
)
PLAN = "Yes, go ahead"


async def answers_the_questions(ana: Speaker, mailbox: str) -> None:
    """Answer whatever the bot asks for until it shows the plan."""
    for _ in range(4):
        if ana.sees_button(PLAN):
            return
        reply = next((reply for question, reply in ANSWERS if question in ana.last_heard), None)
        assert reply is not None, f"this is no question of the form\n{ana.transcript()}"
        await ana.says(reply.format(mailbox=mailbox))
    assert ana.sees_button(PLAN), f"no plan was shown\n{ana.transcript()}"


async def asks_for_an_account(ana: Speaker, mailbox: str = "team-x@corp.example", ou: str = "Demos") -> str:
    """Ask in one sentence, say yes to the plan, and return the request's id."""
    await ana.says(f"I need a sandbox account in {ou} for {mailbox}")
    await ana.presses(PLAN)
    return ana.request


async def is_ordered(stage: Stage, ana: Speaker, bo: Approver, mailbox: str = "team-x@corp.example") -> str:
    """Ask, have it approved, and wait until it is ordered; return the request's id."""
    request = await asks_for_an_account(ana, mailbox)
    await bo.opens_the_mail(about=request)
    await bo.approves()
    await ana.hears_later("is ordered")
    return request


async def see_it_through(stage: Stage, ana: Speaker, bo: Approver) -> str:
    """Have the request that was just placed approved and carried out; return the account id."""
    request = ana.request
    await bo.opens_the_mail(about=request)
    await bo.approves()
    await ana.hears_later("was approved by", "is ordered")
    await stage.advance(minutes=25)
    view = await stage.reaches(request, "succeeded")
    account = str(view["outcome"]["account_id"])
    await ana.hears_later(account)
    return account
