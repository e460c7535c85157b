"""Everything that a drill needs around the bots, and what must hold at its end."""

from __future__ import annotations

from pathlib import Path

import boto3

from tests.restart.people import Approver, Requester, assert_told_once
from tests.restart.processes import BotProcess, SandboxProcess
from tests.restart.relay import Relay


class Rig:
    """A sandbox, a relay, and the bots that a drill starts; a context manager that leaves nothing running."""

    def __init__(self, folder: Path, *, speed: float) -> None:
        self._folder = folder
        self.sandbox = SandboxProcess(folder, speed=speed)
        self.relay = Relay()
        self.approver = Approver(self.relay)
        self._bots: list[BotProcess] = []

    def __enter__(self) -> Rig:
        self.relay.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        for bot in self._bots:
            bot.close()
        self.sandbox.close()
        self.relay.__exit__()

    def bot(self, name: str, **settings: str) -> BotProcess:
        """Return a bot that is not started yet; bots of one DATABASE_URL are replicas of each other."""
        own = {"AWS_ENDPOINT_URL": self.sandbox.url, "SMTP_URL": self.relay.url}
        bot = BotProcess(self._folder, name, **{**own, **settings})
        self._bots.append(bot)
        return bot

    def accounts(self, email: str) -> list[str]:
        """Return the ids of the organization's accounts with that root address."""
        client = boto3.client(
            "organizations",
            endpoint_url=self.sandbox.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        try:
            pages = client.get_paginator("list_accounts").paginate()
            return [a["Id"] for page in pages for a in page["Accounts"] if a["Email"] == email]
        finally:
            client.close()

    def assert_vended_once(self, requester: Requester) -> None:
        """Assert one account, one token however often it was ordered, and each notice once."""
        view = requester.view()
        assert self.accounts(requester.email) == [view["outcome"]["account_id"]]
        tokens = {
            call["params"]["ProvisionToken"]
            for call in self.sandbox.calls("ProvisionProduct")
            if any(p["Value"] == requester.email for p in call["params"]["ProvisioningParameters"])
        }
        assert len(tokens) <= 1, tokens  # none when the sandbox itself was killed since
        assert_told_once(requester)
