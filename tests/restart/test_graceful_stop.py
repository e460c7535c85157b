"""SIGTERM ends the bot soon and cleanly, whatever it is about; the next start goes on."""

from __future__ import annotations

from itertools import pairwise

from tests.restart.people import Requester
from tests.restart.processes import BotProcess, SandboxProcess, until
from tests.restart.rig import Rig

SOON = 5.0


def test_stops_in_the_midst_of_work_are_quick_and_lose_nothing(
    rig: Rig, bot: BotProcess, sandbox: SandboxProcess
) -> None:
    """Twice in the same step each: what was begun here is stopped differently from what was taken up again."""
    ana = Requester(bot, "stop")
    ana.orders()
    rig.approver.token(ana.request)
    points = ["ListAccounts", "ListAccounts", "ProvisionProduct", "ProvisionProduct", "DescribeRecord", ""]
    sandbox.hang(points[0], when="after")
    assert rig.approver.approves(bot, ana.request) == 200
    for operation, following in pairwise(points):
        until(lambda operation=operation: sandbox.held(operation), f"{operation} is called")  # type: ignore[misc]
        status, seconds = bot.end()
        assert status == 0, bot.tail()
        assert seconds < SOON
        if following:
            sandbox.hang(following, when="after")
        else:
            sandbox.let_go()
        bot.start()
    ana.waits_until("succeeded")
    rig.assert_vended_once(ana)


def test_a_stop_in_the_midst_of_a_turn_is_quick_and_the_turn_is_taken_up_again(
    rig: Rig, bot: BotProcess, sandbox: SandboxProcess
) -> None:
    ana = Requester(bot, "turn")
    ana.asks()
    sandbox.hang("ListAccounts")
    lost = ana.says_in_the_background("yes")
    until(lambda: sandbox.held("ListAccounts"), "the plan is made again")
    status, seconds = bot.end()
    lost.join(10)
    assert status == 0, bot.tail()
    assert seconds < SOON
    sandbox.let_go()
    bot.start()
    until(ana.find_request, "the yes is taken up again")
    assert rig.approver.approves(bot, ana.request) == 200
    ana.waits_until("succeeded")
    rig.assert_vended_once(ana)
