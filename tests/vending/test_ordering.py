"""The order's segments on a Service Catalog of our own: what is lost, refused, overdue or gone is told apart."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import pytest

from bot.errors import CloudError
from bot.plan import Plan
from bot.requests import RequestRecord
from bot.services import Services
from bot.workflow.model import Failed, SegmentResult, Wait, Waiting
from bot.workflow.run import Run
from intents.account_vending.facts import FactReader
from intents.account_vending.planning import plan_account
from intents.account_vending.workflow import VendingWorkflow
from tests.core.clock import HandClock
from tests.vending.test_planning import FACTS

T = TypeVar("T")
PLAN: Plan = plan_account(FACTS)
NAME = PLAN.effects["provisioned_product_name"]
TOKEN = "qm-1-1"
REFUSED = CloudError("AccessDeniedException", "Not you.", operation="ProvisionProduct", request_id="r-1")
LOST = CloudError("ConnectionClosedError", "No answer.", operation="ProvisionProduct", retryable=True)
THROTTLED = CloudError("ThrottlingException", "Rate exceeded", operation="ProvisionProduct", retryable=True)


class Killed(BaseException):
    """The process dies in the midst of a call."""


@dataclass
class Catalog:
    """Service Catalog; `answers` are what ProvisionProduct ends with, call by call, and its default is an order."""

    answers: list[BaseException] = field(default_factory=list)
    products: list[dict[str, Any]] = field(default_factory=list)
    record: dict[str, Any] | CloudError = field(default_factory=dict)
    product: dict[str, Any] | CloudError = field(default_factory=dict)
    listing: CloudError | None = None
    tokens: list[str] = field(default_factory=list)

    def takes_the_order(self, name: str = NAME, token: str = TOKEN) -> None:
        """Hold a provisioned product, as after an order."""
        made = {"Id": "pp-1", "Name": name, "IdempotencyToken": token, "LastProvisioningRecordId": "rec-1"}
        self.products.append(made)

    async def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Answer the operations that the work uses."""
        match operation:
            case "ProvisionProduct":
                self.tokens.append(parameters["ProvisionToken"])
                if self.answers:
                    raise self.answers.pop(0)
                return {"RecordDetail": {"RecordId": "rec-1", "ProvisionedProductId": "pp-1"}}
            case "DescribeRecord":
                return _or_raise(self.record)
            case "DescribeAccount":
                return {"Account": {"Arn": f"arn:aws:organizations::1:account/o-1/{parameters['AccountId']}"}}
            case _:
                return _or_raise(self.product)

    async def named(self, name: str) -> dict[str, Any] | None:
        """Return the provisioned product of that name."""
        if self.listing:
            raise self.listing
        return next((p for p in self.products if p["Name"] == name), None)

    async def account_with(self, email: str) -> dict[str, str]:
        """Return no account."""
        return {}


def _or_raise(answer: dict[str, Any] | CloudError) -> dict[str, Any]:
    if isinstance(answer, CloudError):
        raise answer
    return answer


class Work:
    """One request's work. Its notes survive a kill; a run of a segment has steps without tries of their own."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog, self.clock = catalog, HandClock()
        self.notes: dict[str, Any] = {}
        self.request = cast(RequestRecord, SimpleNamespace(id="qm-1", version=1, plan=PLAN, notes=self.notes))
        requests = SimpleNamespace(find=self._find)
        database = SimpleNamespace(write=self._write)
        organization = SimpleNamespace(changed=self._nothing)
        parts = {"clock": self.clock, "requests": requests, "database": database, "organization": organization}
        services = cast(Services, SimpleNamespace(**parts))
        self.workflow = VendingWorkflow(services, cast(FactReader, catalog))
        self.run = self._run({})

    async def _find(self, request_id: str) -> RequestRecord:
        return self.request

    async def _nothing(self) -> None:
        return None

    async def _write(self, work: Callable[[Any], Awaitable[None]]) -> None:
        return None

    def _run(self, payload: Mapping[str, Any]) -> Any:
        async def step(name: str, work: Callable[[], Awaitable[T]]) -> T:
            return await work()

        async def begin_changing() -> None:
            return None

        async def note(**notes: Any) -> None:
            self.notes.update(notes)

        def stand() -> None:
            run.stands = True

        def retry_from(segment: str) -> None:
            assert segment == "start", "a retry lines up for a place again"

        run = SimpleNamespace(
            request=self.request,
            payload=payload,
            stands=False,
            step=step,
            begin_changing=begin_changing,
            note=note,
            stand=stand,
            retry_from=retry_from,
        )
        return run

    async def order(self) -> SegmentResult:
        """Run the segment that orders, as after a start of the process."""
        self.run = self._run({})
        return await self.workflow.order(cast(Run, self.run))

    async def settle(self, payload: Mapping[str, Any]) -> SegmentResult:
        """Run the segment that reads the outcome."""
        self.run = self._run(payload)
        return await self.workflow.settle(cast(Run, self.run))


def is_followed(result: SegmentResult) -> bool:
    """Tell whether the segment ended with the order that is out."""
    return isinstance(result, Wait) and (result.kind, result.key) == ("provisioning-record", "rec-1")


async def test_an_order_that_went_out_before_a_kill_is_found_when_aws_then_refuses() -> None:
    catalog = Catalog([Killed(), REFUSED])
    work = Work(catalog)
    with pytest.raises(Killed):
        await work.order()
    catalog.takes_the_order()
    result = await work.order()
    assert is_followed(result)
    assert work.notes["record"] == "rec-1"
    assert catalog.tokens == [TOKEN, TOKEN]


async def test_an_order_that_may_be_out_is_never_told_to_have_failed_while_it_may_appear() -> None:
    work = Work(Catalog([Killed(), REFUSED, REFUSED]))
    with pytest.raises(Killed):
        await work.order()
    for _ in range(2):
        work.clock.move(minutes=4)
        with pytest.raises(CloudError, match="AccessDenied"):
            await work.order()
        assert work.run.stands, "the request must not end while the order may be out"
    work.catalog.takes_the_order()
    work.catalog.answers = [REFUSED]
    assert is_followed(await work.order())


async def test_a_refused_order_that_never_appears_has_failed_and_says_that_nothing_was_ordered() -> None:
    work = Work(Catalog([LOST, REFUSED]))
    with pytest.raises(CloudError, match="No answer"):
        await work.order()
    assert work.run.stands
    work.clock.move(minutes=10)
    result = await work.order()
    assert isinstance(result, Failed)
    assert "AccessDeniedException" in result.text
    assert "nothing was ordered" in result.text
    assert "r-1" in result.next_step


async def test_a_first_call_that_is_refused_has_failed_at_once() -> None:
    work = Work(Catalog([REFUSED]))
    with pytest.raises(CloudError, match="AccessDenied"):
        await work.order()
    assert not work.run.stands


async def test_a_throttled_call_is_no_order_that_may_be_out() -> None:
    work = Work(Catalog([THROTTLED, REFUSED]))
    for _ in range(2):
        with pytest.raises(CloudError):
            await work.order()
        assert not work.run.stands


async def test_a_throttled_call_does_not_hide_an_earlier_one_that_got_lost() -> None:
    work = Work(Catalog([LOST, THROTTLED, REFUSED]))
    for _ in range(3):
        with pytest.raises(CloudError):
            await work.order()
        assert work.run.stands


async def test_anothers_product_of_that_name_is_not_taken_for_the_order() -> None:
    catalog = Catalog([REFUSED])
    catalog.takes_the_order(token="somebody-else")
    with pytest.raises(CloudError, match="AccessDenied"):
        await Work(catalog).order()


async def test_an_order_that_can_not_be_looked_for_stands() -> None:
    work = Work(Catalog([LOST, REFUSED], listing=CloudError("AccessDeniedException", "No.", operation="Scan")))
    with pytest.raises(CloudError):
        await work.order()
    work.clock.move(hours=2)
    with pytest.raises(CloudError, match="ProvisionProduct"):
        await work.order()
    assert work.run.stands


# ------------------------------------------------------------------------------ overdue, and gone


async def test_an_order_under_way_for_two_hours_names_the_record_and_who_should_look() -> None:
    catalog = Catalog(record={"RecordDetail": {"Status": "IN_PROGRESS"}})
    work = Work(catalog)
    row = Waiting(7, "qm-1", "rec-1", {}, work.clock.now(), False, 1)
    work.clock.move(hours=2)
    assert (await work.workflow.look_at_records([row]))[7].notice is None
    work.clock.move(minutes=1)
    verdict = (await work.workflow.look_at_records([row]))[7]
    assert not verdict.ready
    assert verdict.notice is not None
    assert verdict.notice.text == (
        "Control Tower has worked on the order of request qm-1 for more than two hours, far longer than usual. "
        "Your platform team should look at record rec-1 in Service Catalog; I keep looking and will tell you here."
    )
    assert verdict.notice.card is not None
    assert verdict.notice.card.tone == "warning"


SUCCEEDED = {"RecordDetail": {"Status": "SUCCEEDED"}, "RecordOutputs": [{"OutputKey": "AccountId", "OutputValue": "9"}]}
UNKNOWN = CloudError("ResourceNotFoundException", "There is no such thing.", operation="Describe")
ORDERED = {"record": "rec-1", "product": "pp-1"}


async def test_a_product_not_found_after_success_is_waited_for_ten_minutes_and_then_told() -> None:
    work = Work(Catalog(record=SUCCEEDED, product=UNKNOWN))
    payload: Mapping[str, Any] = ORDERED
    keys = []
    for _ in range(20):
        result = await work.settle(payload)
        assert isinstance(result, Wait), "ten minutes are not over"
        assert result.due == work.clock.now() + timedelta(seconds=30)
        keys.append(result.key)
        payload = result.payload
        work.clock.move(seconds=30)
    assert len(set(keys)) == 20, "each wait needs a key of its own"
    result = await work.settle(payload)
    assert isinstance(result, Failed)
    assert "SUCCEEDED / GONE" in result.text
    assert "before anything is ordered again" in result.next_step


async def test_a_product_found_in_time_is_ready() -> None:
    work = Work(Catalog(record=SUCCEEDED, product=UNKNOWN))
    result = await work.settle(ORDERED)
    assert isinstance(result, Wait)
    work.clock.move(minutes=9)
    work.catalog.product = {"ProvisionedProductDetail": {"Status": "AVAILABLE"}}
    made = await work.settle(result.payload)
    assert isinstance(made, Wait)
    assert (made.then, made.payload["account"]) == ("finish", "9")


async def test_a_product_that_vanishes_anew_is_waited_for_anew() -> None:
    work = Work(Catalog(record=SUCCEEDED, product=UNKNOWN))
    first = await work.settle(ORDERED)
    assert isinstance(first, Wait)
    work.catalog.product = {"ProvisionedProductDetail": {"Status": "UNDER_CHANGE"}}
    second = await work.settle(first.payload)
    assert isinstance(second, Wait)
    work.clock.move(minutes=15)
    work.catalog.product = UNKNOWN
    assert isinstance(await work.settle(second.payload), Wait)


async def test_a_record_that_is_gone_is_told_after_ten_minutes_and_never_as_ask_again() -> None:
    work = Work(Catalog(record=UNKNOWN))
    result = await work.settle(ORDERED)
    assert isinstance(result, Wait)
    work.clock.move(minutes=10)
    failed = await work.settle(result.payload)
    assert isinstance(failed, Failed)
    assert "no longer knows the order rec-1" in failed.text
    assert "before anything is ordered again" in failed.next_step


async def test_a_success_without_an_account_id_is_no_success() -> None:
    bare = {"RecordDetail": {"Status": "SUCCEEDED"}}
    work = Work(Catalog(record=bare, product={"ProvisionedProductDetail": {"Status": "AVAILABLE"}}))
    failed = await work.settle(ORDERED)
    assert isinstance(failed, Failed)
    assert "without an AccountId" in failed.text
    assert "before anything is ordered again" in failed.next_step
