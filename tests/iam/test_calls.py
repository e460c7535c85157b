"""Every way in which the code may write a call of AWS is read, and what can't be read is refused."""

from __future__ import annotations

import pytest

from tools.calls import Unresolvable, calls_in

HEAD = """
class Reader:
    def __init__(self, services):
        self._cloud, self._settings = services.cloud, services.settings
        self._chain = services.settings.management_role_arn
"""


def found(body: str, *, path: str = "intents/orders/reading.py", **others: str) -> set[tuple[str, str, str]]:
    """Return (service, operation, role) of the calls in a class with this body."""
    texts = {path: HEAD + body} | {name.replace("__", "/") + ".py": text for name, text in others.items()}
    return {(call.service, call.operation, call.role) for call in calls_in(texts)}


def test_reads_a_call_and_its_role() -> None:
    body = """
    async def read(self, account):
        await self._cloud.call("sesv2", "GetAccount")
        await self._cloud.call("ce", "GetCostAndUsage", role=self._settings.management_role_arn, Filter={})
        self._cloud.pages("config", "DescribeConfigRules", "Rules", role=self._settings.member_role(account))
    """
    assert found(body) == {
        ("sesv2", "GetAccount", "own"),
        ("ce", "GetCostAndUsage", "management"),
        ("config", "DescribeConfigRules", "member"),
    }


def test_follows_roles_through_names_and_attributes() -> None:
    body = """
    async def read(self, account, is_inside):
        role = self._settings.member_role(account) if is_inside else self._chain
        await self._cloud.call("config", "DescribeConfigRules", role=role)
    """
    assert found(body) == {("config", "DescribeConfigRules", "member"), ("config", "DescribeConfigRules", "management")}


def test_follows_wrappers_of_wrappers() -> None:
    body = """
    async def ask(self, service, operation, *, role="", **parameters):
        return await self._cloud.call(service, operation, role=role, **parameters)

    async def organizations(self, operation, **parameters):
        return await self.ask("organizations", operation, role=self._settings.management_role_arn, **parameters)

    async def read(self):
        await self.organizations("ListRoots")
        await self.organizations(operation="ListAccounts")
        await self.ask("sts", "GetCallerIdentity")
    """
    assert found(body) == {
        ("organizations", "ListRoots", "management"),
        ("organizations", "ListAccounts", "management"),
        ("sts", "GetCallerIdentity", "own"),
    }


def test_finds_calls_through_a_wrapper_of_another_file_of_the_capability() -> None:
    body = """
    async def call(self, service, operation, **parameters):
        return await self._cloud.call(service, operation, role=self._settings.management_role_arn, **parameters)
    """
    work = """
async def work(facts):
    await facts.call("servicecatalog", "DescribeRecord", Id="r")
"""
    assert found(body, intents__orders__work=work) == {("servicecatalog", "DescribeRecord", "management")}


def test_reads_constants_choices_and_loops() -> None:
    body = """
    async def put(self, contact, exists):
        await self._cloud.call(SERVICE, "PutAlternateContact" if contact else "DeleteAlternateContact")
        for service, operation in (("budgets", "CreateBudget"), ("budgets", "CreateNotification")):
            await self._cloud.call(service, operation)
        verb = "UpdateBudget" if exists else "CreateBudget"
        await self._cloud.call("budgets", verb)

SERVICE = "account"
    """
    assert {operation for _, operation, _ in found(body)} == {
        "PutAlternateContact",
        "DeleteAlternateContact",
        "CreateBudget",
        "CreateNotification",
        "UpdateBudget",
    }


def test_reads_constants_of_other_modules() -> None:
    body = """
    async def read(self):
        await self._cloud.call(TAGGING, "GetResources")

from bot.names import TAGGING
    """
    names = 'TAGGING = "resourcegroupstaggingapi"'
    assert found(body, bot__names=names) == {("resourcegroupstaggingapi", "GetResources", "own")}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("await self._cloud.call(self.pick(), 'ListRoots')", "service can't be told"),
        ("await self._cloud.call('organizations', 'List' + account)", "operation can't be told"),
        ("await self._cloud.call('organizations', unknown)", "nothing says what unknown is"),
        ("await self._cloud.call(*account)", "not written as an argument of its own"),
        ("await self._cloud.call('organizations', 'ListRoots', role=account.role)", "role can't be told"),
        ("account(self._cloud.call)", "is handed on"),
        ("await account.call('organizations', 'ListRoots')", "can't tell whether account.call calls AWS"),
    ],
)
def test_refuses_what_it_cannot_read_naming_the_line(line: str, words: str) -> None:
    body = f"""
    async def read(self, account):
        {line}
    """
    with pytest.raises(Unresolvable, match=words) as caught:
        found(body)
    assert str(caught.value).startswith("intents/orders/reading.py:8:")


def test_a_wrapper_called_without_its_operation_is_refused() -> None:
    body = """
    async def ask(self, service, operation):
        return await self._cloud.call(service, operation)

    async def read(self):
        await self.ask("organizations")
    """
    with pytest.raises(Unresolvable, match="ask is called without its operation"):
        found(body)


def test_the_port_itself_and_the_local_engine_are_no_callers() -> None:
    body = """
    async def pages(self, service, operation):
        await self.call(service, operation)
    """
    assert found(body, path="adapters/aws/cloud.py") == set()


def test_folders_that_call_nothing_of_aws_are_held_to_it() -> None:
    body = """
    async def ask(self):
        await self._web.call("token", "auth.test")
    """
    assert found(body, path="adapters/slack/web.py") == set()
    body = """
    async def ask(self):
        await self._cloud.call("sts", "GetCallerIdentity")
    """
    with pytest.raises(Unresolvable, match="listed as calling nothing"):
        found(body, path="adapters/slack/web.py")
