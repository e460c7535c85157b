"""Every step of an account's life may be run twice: a crash between a call and its record changes nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.account_factory import AccountFactory
from bot.errors import CloudError
from bot.services import Services
from bot.workflow.run import Run
from intents.accounts.closing_workflow import PENDING, ClosingWorkflow
from intents.accounts.moving import MoveAccount


class Organizations:
    """One account that can be moved and closed; counts the changes."""

    def __init__(self) -> None:
        self.parent, self.status = "ou-1", "ACTIVE"
        self.changes: list[str] = []
        self.loses_answers = False

    async def ask_aws(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Answer as Organizations does."""
        match operation:
            case "ListParents":
                return {"Parents": [{"Id": self.parent}]}
            case "DescribeAccount":
                return {"Account": {"Status": self.status}}
            case "MoveAccount":
                assert parameters["SourceParentId"] == self.parent
                self.parent = parameters["DestinationParentId"]
            case "CloseAccount":
                if self.status != "ACTIVE":
                    raise CloudError("AccountAlreadyClosedException", "It is closed.", operation=operation)
                self.status = "PENDING_CLOSURE"
        self.changes.append(operation)
        if self.loses_answers:
            raise CloudError("ReadTimeout", "no answer", operation=operation, retryable=True)
        return {}


@pytest.fixture
def organizations() -> Organizations:
    return Organizations()


async def test_an_account_that_is_being_closed_is_not_closed_again(organizations: Organizations) -> None:
    services = cast(Services, SimpleNamespace())
    workflow = ClosingWorkflow(services, cast(AccountFactory, organizations))
    organizations.loses_answers = True
    with pytest.raises(CloudError):
        await workflow._ask_to_close("1")
    organizations.loses_answers = False
    assert await workflow._ask_to_close("1") == PENDING
    assert await workflow._ask_to_close("1") == PENDING
    assert organizations.changes == ["CloseAccount"]


async def test_an_account_that_is_there_is_not_moved_again(organizations: Organizations) -> None:
    change = MoveAccount.__new__(MoveAccount)
    change.factory = cast(AccountFactory, organizations)
    effects = {"account_id": "1", "to": "ou-2"}
    run = cast(Run, SimpleNamespace(request=SimpleNamespace(plan=SimpleNamespace(effects=effects))))
    organizations.loses_answers = True
    with pytest.raises(CloudError):
        await change._move(run)
    organizations.loses_answers = False
    assert await change._move(run) == "ou-2"
    assert organizations.changes == ["MoveAccount"]
