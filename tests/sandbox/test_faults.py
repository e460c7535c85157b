"""Faults by name: what callers see while one is on, and that it ends when switched off."""

from threading import Thread
from time import monotonic
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.sandbox.landing import Aws, order_of


def error_code(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


@pytest.mark.parametrize(
    ("service", "operation", "codes"),
    [
        ("servicecatalog", "search_products", ("ThrottlingException", "AccessDeniedException")),
        ("organizations", "list_roots", ("TooManyRequestsException", "AccessDeniedException")),
        ("controltower", "list_landing_zones", ("ThrottlingException", "AccessDeniedException")),
        ("sts", "get_caller_identity", ("Throttling", "AccessDenied")),
        ("sns", "list_topics", ("Throttling", "AuthorizationError")),
        ("sesv2", "get_account", ("TooManyRequestsException", "AccessDeniedException")),
    ],
)
def test_every_service_has_its_own_codes(aws: Aws, service: str, operation: str, codes: tuple[str, str]) -> None:
    call = getattr(aws.client(service), operation)
    for fault, code in zip(("throttling", "access_denied"), codes, strict=True):
        aws.post("faults", name=fault, on=True)
        assert error_code(call) == code
        aws.post("faults", name=fault, on=False)
    aws.post("faults", name="server_error", on=True)
    with pytest.raises(ClientError) as caught:
        call()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    aws.post("faults", name="server_error", on=False)
    call()


def test_strikes_only_so_often_and_only_named_operations(aws: Aws) -> None:
    aws.post("faults", name="throttling", on=True, times=2, operations=["organizations:ListRoots"])
    organizations = aws.client("organizations")
    organizations.list_accounts()

    assert [error_code(organizations.list_roots) for _ in range(2)] == ["TooManyRequestsException"] * 2
    organizations.list_roots()
    state = {fault["name"]: fault for fault in aws.get("faults")}["throttling"]
    assert (state["on"], state["remaining"]) == (False, 0)


def test_slow_answers_come_late_and_unharmed(aws: Aws) -> None:
    aws.post("faults", name="slow", on=True, seconds=0.3, operation="ListRoots")
    organizations = aws.client("organizations")
    organizations.list_accounts()
    began = monotonic()
    assert organizations.list_roots()["Roots"]

    assert monotonic() - began >= 0.3


def test_a_rate_of_zero_never_strikes(aws: Aws) -> None:
    aws.post("faults", name="throttling", on=True, rate=0)
    for _ in range(5):
        aws.client("organizations").list_roots()


def test_fails_before_the_account_is_made(aws: Aws) -> None:
    aws.post("faults", name="provisioning_failed", on=True, times=1, message="No luck today.")
    first, second = aws.order("one"), aws.order("two")
    aws.advance(30)

    failed = aws.record(first["RecordId"])
    assert failed["Status"] == "FAILED"
    assert failed["RecordErrors"][0]["Description"] == "No luck today."
    assert aws.product("one")["Status"] == "ERROR"
    assert aws.account_called("one") is None
    assert aws.record(second["RecordId"])["Status"] == "SUCCEEDED"


def test_taints_after_the_account_is_made(aws: Aws) -> None:
    aws.post("faults", name="tainted", on=True)
    record = aws.order()
    aws.advance(18.5)
    assert aws.record(record["RecordId"])["Status"] == "IN_PROGRESS_IN_ERROR"
    aws.advance(10)

    assert aws.record(record["RecordId"])["Status"] == "FAILED"
    assert aws.product("team-x")["Status"] == "TAINTED"
    assert aws.account_called("team-x") is not None


def test_what_came_due_before_the_switch_is_not_struck(aws: Aws) -> None:
    record = aws.order()
    aws.advance(30)
    aws.post("faults", name="tainted", on=True)
    assert aws.record(record["RecordId"])["Status"] == "SUCCEEDED"


def test_shows_and_enforces_a_reached_quota(aws: Aws) -> None:
    quotas = aws.client("service-quotas")
    code = {"ServiceCode": "organizations", "QuotaCode": "L-E619E033"}
    assert quotas.get_service_quota(**code)["Quota"]["Value"] == 60
    assert quotas.get_aws_default_service_quota(**code)["Quota"]["Value"] == 10

    aws.post("faults", name="quota", on=True)
    assert quotas.list_service_quotas(ServiceCode="organizations")["Quotas"][0]["Value"] == 11
    record = aws.order()
    aws.advance(30)
    ended = aws.record(record["RecordId"])
    assert ended["RecordErrors"][0]["Code"] == "AccountLimitExceeded"


@pytest.mark.parametrize(("when", "ordered"), [("before", 0), ("after", 1)])
def test_resets_the_connection_before_or_after_the_effect(aws: Aws, when: str, ordered: int) -> None:
    aws.post("faults", name="connection_reset", on=True, operation="ProvisionProduct", when=when, times=1)
    with pytest.raises(ConnectionClosedError):
        aws.order()

    history = aws.client("servicecatalog").list_record_history()["RecordDetails"]
    assert len(history) == ordered
    assert aws.order()["Status"] == "CREATED"


@pytest.mark.parametrize(("when", "ordered"), [("before", 0), ("after", 1)])
def test_hangs_until_switched_off(aws: Aws, when: str, ordered: int) -> None:
    aws.post("faults", name="hang", on=True, operation="ProvisionProduct", when=when)
    catalog = aws.client("servicecatalog")
    answers: list[Any] = []
    caller = Thread(target=lambda: answers.append(catalog.provision_product(**order_of("team-x"))))
    caller.start()
    while not aws.get("calls?operation=ProvisionProduct"):
        pass
    if when == "after":
        while not catalog.list_record_history()["RecordDetails"]:
            pass
    assert len(catalog.list_record_history()["RecordDetails"]) == ordered
    assert aws.get("calls?operation=ProvisionProduct")[0]["status"] is None
    assert not answers

    aws.post("faults", name="hang", on=False)
    caller.join(10)
    assert answers[0]["RecordDetail"]["Status"] == "CREATED"
    assert len(catalog.list_record_history()["RecordDetails"]) == 1


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"name": "gremlins", "on": True}, 404, "throttling"),
        ({"name": None}, 404, "throttling"),
        ({"name": ["slow"]}, 404, "throttling"),
        ({"name": "slow", "on": "yes"}, 422, "on must be"),
        ({"name": "slow", "on": True, "seconds": -1}, 422, "seconds"),
        ({"name": "throttling", "on": True, "rate": 2}, 422, "rate"),
        ({"name": "throttling", "on": True, "times": True}, 422, "times"),
        ({"name": "throttling", "on": True, "operations": "ListRoots"}, 422, "operations"),
        ({"name": "throttling", "on": True, "operations": [7]}, 422, "operations"),
        ({"name": "hang", "on": True, "operation": "ProvisionProdct"}, 422, "ProvisionProdct"),
        ({"name": "hang", "on": True, "when": "never"}, 422, "when"),
        ({"name": "quota", "on": True, "colour": "red"}, 422, "colour"),
    ],
)
def test_explains_a_switch_that_does_not_exist(aws: Aws, body: dict[str, Any], status: int, words: str) -> None:
    answered, problem = aws.ask("POST", "faults", body)

    assert answered == status
    assert words in problem["detail"]
    assert not any(fault["on"] for fault in aws.get("faults"))


def test_lists_every_fault_with_a_line_about_it(aws: Aws) -> None:
    faults = aws.get("faults")

    assert {fault["name"] for fault in faults} >= {
        "throttling",
        "provisioning_failed",
        "tainted",
        "slow",
        "quota",
        "access_denied",
        "server_error",
        "hang",
        "connection_reset",
    }
    assert all(fault["description"] for fault in faults)
