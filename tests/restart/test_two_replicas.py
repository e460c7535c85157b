"""Two processes on one PostgreSQL database: what one leaves, the other finishes, and neither does it twice."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.restart.people import Requester
from tests.restart.processes import BotProcess, SandboxProcess, until
from tests.restart.rig import Rig

pytestmark = pytest.mark.postgres
TAKEN_OVER = 30.0
"""Seconds within which a living replica has finished what a dead one left."""


Split = Callable[[], tuple[BotProcess, BotProcess]]


def test_a_replica_finishes_what_a_killed_one_left(rig: Rig, sandbox: SandboxProcess, split: Split) -> None:
    holder, other = split()
    ana = Requester(holder, "turn")
    ana.asks()
    sandbox.hang("GetServiceQuota")
    lost = ana.says_in_the_background("yes")
    until(lambda: sandbox.held("GetServiceQuota"), "the turn is under way")
    holder.kill()
    killed = time.monotonic()
    sandbox.let_go()
    lost.join(10)
    ana.bot = other
    until(ana.find_request, "the other replica takes the turn over", TAKEN_OVER)

    sandbox.hang("ProvisionProduct", when="after")
    assert rig.approver.approves(other, ana.request) == 200
    until(lambda: sandbox.held("ProvisionProduct"), "the lease was taken over, too", TAKEN_OVER)
    assert time.monotonic() - killed < TAKEN_OVER

    holder.start()
    waiting = Requester(holder, "wait")
    waiting.orders()
    other.kill()
    killed = time.monotonic()
    sandbox.let_go()
    ana.bot = holder
    ana.waits_until("succeeded", seconds=TAKEN_OVER)
    assert time.monotonic() - killed < TAKEN_OVER
    rig.assert_vended_once(ana)
    assert rig.approver.approves(holder, waiting.request) == 200
    waiting.waits_until("succeeded")
    rig.assert_vended_once(waiting)
    until(lambda: holder.verify_audit()[0] == 0, "the audit verifies")


def test_a_frozen_replica_that_comes_back_does_no_harm(rig: Rig, sandbox: SandboxProcess, split: Split) -> None:
    holder, other = split()
    ana = Requester(other, "frozen")
    ana.orders()
    sandbox.hang("ProvisionProduct", when="after")
    assert rig.approver.approves(other, ana.request) == 200
    until(lambda: sandbox.held("ProvisionProduct"), "the step is under way")
    holder.freeze()
    sandbox.let_go()
    ana.waits_until("succeeded", seconds=TAKEN_OVER)
    holder.thaw()
    holder.wait_ready()
    again = Requester(holder, "thawed")
    again.orders()
    assert rig.approver.approves(holder, again.request) == 200
    again.waits_until("succeeded")
    for requester in (ana, again):
        rig.assert_vended_once(requester)
        assert len(rig.relay.about(requester.request)) == 1
    until(lambda: holder.verify_audit()[0] == 0, "the audit verifies")
