"""kill -9 at what the database shows: placed, mailed, approved, queued, running, done; and of everything at once."""

from __future__ import annotations

import threading

import httpx

from tests.restart.people import Requester
from tests.restart.processes import BotProcess, SandboxProcess, until
from tests.restart.rig import Rig


def test_an_approval_mail_is_sent_again_when_the_bot_dies_before_the_relay_took_it(rig: Rig, bot: BotProcess) -> None:
    ana = Requester(bot, "mail")
    rig.relay.withhold()
    ana.orders()
    assert rig.relay.waiting.wait(20)
    bot.kill()
    rig.relay.answer_again()
    bot.start()
    assert rig.approver.approves(bot, ana.request) == 200
    ana.waits_until("succeeded")
    rig.assert_vended_once(ana)
    assert len(rig.relay.about(ana.request)) == 1


def test_a_request_survives_a_kill_at_each_turn_of_fate(rig: Rig, bot: BotProcess, sandbox: SandboxProcess) -> None:
    ana = Requester(bot, "turns")
    ana.orders()
    bot.restart()
    token = rig.approver.token(ana.request)

    def post() -> None:
        try:
            bot.client.post(f"/account/confirm/{token}", data={"decision": "approve"})
        except httpx.HTTPError:
            return

    sandbox.hang("SearchProvisionedProducts")
    approving = threading.Thread(target=post, daemon=True)
    approving.start()
    bot.restart()  # anywhere in the midst of the decision
    approving.join(10)
    again = rig.approver.approves(bot, ana.request)
    assert again in (200, 409), again
    ana.waits_until("approved")
    bot.restart()
    sandbox.hang("ProvisionProduct")
    ana.waits_until("queued", "running")
    bot.restart()
    sandbox.let_go()
    until(lambda: any("is ordered" in text for text in ana.heard()), "the order is told of")
    bot.restart()
    sandbox.advance(3600)
    ana.waits_until("succeeded")
    bot.restart()
    assert ana.state() == "succeeded"
    rig.assert_vended_once(ana)
    until(lambda: bot.verify_audit()[0] == 0, "the audit verifies")


def test_a_kill_of_bot_and_sandbox_together_loses_nothing(rig: Rig, bot: BotProcess, sandbox: SandboxProcess) -> None:
    ana, bo = Requester(bot, "all-a"), Requester(bot, "all-b")
    ana.orders()
    assert rig.approver.approves(bot, ana.request) == 200
    bo.orders()
    ana.waits_until("running", "succeeded")
    for program in (sandbox, bot):
        program.kill()
    sandbox.start()
    bot.start()
    assert rig.approver.approves(bot, bo.request) == 200
    for requester in (ana, bo):
        requester.waits_until("succeeded")
        rig.assert_vended_once(requester)
