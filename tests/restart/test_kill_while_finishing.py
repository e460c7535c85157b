"""kill -9 between finishing steps: what was done for the account is not done again, and ready is told once."""

from __future__ import annotations

from tests.restart.people import Requester
from tests.restart.processes import BotProcess, SandboxProcess, until
from tests.restart.rig import Rig
from tests.restart.test_kill_at_each_call import kill_while_held


def test_a_kill_while_it_is_finished_repeats_no_step_that_is_done(
    rig: Rig, bot: BotProcess, sandbox: SandboxProcess
) -> None:
    ana = Requester(bot, "finishing")
    ana.orders()
    assert rig.approver.approves(bot, ana.request) == 200
    until(lambda: sandbox.calls("ProvisionProduct"), "it is ordered")
    sandbox.hang("ListEnabledControls")
    sandbox.advance(3600)
    kill_while_held(sandbox, bot, "ListEnabledControls", "", "")
    ana.waits_until("succeeded")
    rig.assert_vended_once(ana)
    assert len(sandbox.calls("TagResource")) == 1
    assert len(sandbox.calls("ListEnabledControls")) == 2
