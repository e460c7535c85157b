"""Control Tower works on five accounts at once: the sixth waits, knows its place, and gets its turn."""

from __future__ import annotations

from tests.stories.errands import asks_for_an_account
from tests.support.stage import Approver, Speaker, Stage


async def five_are_under_way(stage: Stage, bo: Approver) -> list[Speaker]:
    """Have five accounts ordered by five people."""
    people = [stage.speaker(f"Person{number} Lopez") for number in range(1, 6)]
    for number, person in enumerate(people, 1):
        request = await asks_for_an_account(person, f"busy-{number}@corp.example")
        await bo.opens_the_mail(about=request)
        await bo.approves()
        await person.hears_later("is ordered")
    return people


async def test_the_sixth_order_queues_and_later_runs(stage: Stage, ana: Speaker, bo: Approver) -> None:
    others = await five_are_under_way(stage, bo)
    await ana.says("I need a sandbox account in Demos for sixth@corp.example")
    ana.hears("this one will queue")
    await ana.says("yes")
    sixth = ana.request
    await bo.opens_the_mail(about=sixth)
    await bo.approves()
    await ana.hears_later("is queued", "number 1 in line", "likely begin about")
    assert (await stage.view(sixth))["state"] == "queued"
    assert len(await stage.calls("ProvisionProduct")) == 5
    await ana.says(f"status of {sixth}")
    ana.hears("Waiting in the queue")
    await stage.advance(minutes=25)
    for other in others:
        await other.hears_later("is ready:")
    await stage.advance(minutes=1)
    await ana.hears_later("is ordered")
    await stage.advance(minutes=25)
    await ana.hears_later("is ready:")
    await ana.heard_once("is queued", "is ordered", "is ready:")


async def test_a_queued_order_is_cancelled(stage: Stage, ana: Speaker, bo: Approver) -> None:
    first, *_ = await five_are_under_way(stage, bo)
    sixth = await asks_for_an_account(ana, "sixth@corp.example")
    await bo.opens_the_mail(about=sixth)
    await bo.approves()
    await ana.hears_later("is queued")
    await ana.says(f"cancel {sixth}")
    ana.hears(f"{sixth} is cancelled")
    await stage.advance(minutes=25)
    await first.hears_later("is ready:")
    await stage.advance(minutes=25)
    assert (await stage.view(sixth))["state"] == "cancelled"
    assert len(await stage.calls("ProvisionProduct")) == 5
