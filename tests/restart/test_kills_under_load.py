"""kill -9 at random moments under a little load."""

from __future__ import annotations

import random
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import httpx

from tests.restart.people import FINAL, Requester
from tests.restart.processes import BotProcess, until
from tests.restart.rig import Rig

REQUESTS = 6
KILLS = 4
PATIENCE = 60.0


def survive(rig: Rig, bot: BotProcess, number: int) -> Requester:
    """Ask, confirm, approve and wait, trying again whatever the bot does not answer."""
    ana = Requester(bot, f"load-{number}")

    def insist(act: str) -> None:
        def done() -> bool:
            try:
                ana.says(act)
            except (httpx.HTTPError, AssertionError):
                return False
            return True

        until(done, f"{ana.email}: “{act}” is heard", PATIENCE)

    def placed() -> bool:
        try:
            return bool(ana.request or ana.find_request())
        except (httpx.HTTPError, AssertionError):
            return False

    def asked_and_placed() -> bool:
        insist(f"I need a sandbox account in Demos for {ana.email}")
        insist("yes")
        return placed()

    until(asked_and_placed, f"{ana.email} is placed", PATIENCE)
    token = rig.approver.token(ana.request, PATIENCE)

    def decided() -> bool:
        try:
            answer = bot.client.post(f"/account/confirm/{token}", data={"decision": "approve"})
        except httpx.HTTPError:
            return False
        return answer.status_code in (200, 409)

    def over() -> bool:
        try:
            return ana.state() in FINAL
        except (httpx.HTTPError, AssertionError):
            return False

    until(decided, f"{ana.request} is decided", PATIENCE)
    until(over, f"{ana.request} is over", PATIENCE)
    return ana


def test_kills_at_random_moments_lose_nothing_and_repeat_nothing(rig: Rig, bot: BotProcess) -> None:
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    print(f"the moments follow from the seed {seed}")
    with ThreadPoolExecutor(REQUESTS) as people:
        surviving = [people.submit(survive, rig, bot, number) for number in range(REQUESTS)]
        for _ in range(KILLS):
            wait(surviving, timeout=chance.uniform(0.1, 1.5), return_when=FIRST_COMPLETED)
            bot.restart()
        everybody = [person.result() for person in surviving]
    for person in everybody:
        rig.assert_vended_once(person)
    until(lambda: bot.verify_audit()[0] == 0, "the audit verifies")
