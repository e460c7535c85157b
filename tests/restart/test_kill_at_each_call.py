"""kill -9 in the middle of every AWS call of the workflow: the account comes, once, and is told of once."""

from __future__ import annotations

from tests.restart.people import Requester
from tests.restart.processes import BotProcess, SandboxProcess, until
from tests.restart.rig import Rig

PLANNING = ("SearchProducts", "ListLaunchPaths", "SearchProvisionedProducts")
"""Of gathering facts, which changes nothing: an early call, one that follows another, and the one that pages."""


def kill_while_held(sandbox: SandboxProcess, bot: BotProcess, operation: str, following: str, when: str) -> None:
    """Wait until a call of `operation` is held, kill the bot, and start it with `following` held."""
    until(lambda: sandbox.held(operation), f"{operation} is called")
    bot.kill()
    if following:
        sandbox.hang(following, when=when)
    else:
        sandbox.let_go()
    bot.start()


def kill_at_each(sandbox: SandboxProcess, bot: BotProcess, points: list[tuple[str, str]]) -> None:
    """Kill the bot at each (operation, before or after its effect) in turn; the first is held already."""
    for place, (operation, _) in enumerate(points):
        following, when = points[place + 1] if place + 1 < len(points) else ("", "")
        kill_while_held(sandbox, bot, operation, following, when)


def test_a_request_survives_a_kill_in_each_call_of_its_work(rig: Rig, bot: BotProcess, sandbox: SandboxProcess) -> None:
    ana = Requester(bot, "each-call")
    ana.orders()
    points = [
        *((operation, "before") for operation in PLANNING),
        ("ProvisionProduct", "before"),
        ("ProvisionProduct", "after"),
        ("DescribeRecord", "before"),
    ]
    rig.approver.token(ana.request)
    sandbox.hang(*points[0][:1])
    assert rig.approver.approves(bot, ana.request) == 200
    kill_at_each(sandbox, bot, points)
    sandbox.hang("DescribeProvisionedProduct")
    sandbox.advance(3600)
    kill_at_each(sandbox, bot, [("DescribeProvisionedProduct", "before")])
    ana.waits_until("succeeded")
    rig.assert_vended_once(ana)
    assert len(sandbox.calls("ProvisionProduct")) >= 3, "both kills hit the call itself"
    until(lambda: bot.verify_audit()[0] == 0, "the audit verifies")


def test_a_confirming_yes_survives_a_kill_and_places_one_request(
    rig: Rig, bot: BotProcess, sandbox: SandboxProcess
) -> None:
    ana = Requester(bot, "yes")
    ana.asks()
    sandbox.hang("GetServiceQuota")
    lost = ana.says_in_the_background("yes")
    kill_while_held(sandbox, bot, "GetServiceQuota", "", "")
    lost.join(10)
    until(ana.find_request, "the yes is taken up again")
    assert rig.approver.approves(bot, ana.request) == 200
    ana.waits_until("succeeded")
    rig.assert_vended_once(ana)
