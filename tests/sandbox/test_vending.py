"""Service Catalog and Account Factory: an order's way through simulated time."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.landing_zone import ACCOUNT_FACTORY_ARTIFACT, ACCOUNT_FACTORY_NAME, ACCOUNT_FACTORY_PRODUCT, unit_id
from tests.sandbox.landing import Aws, order_of


def test_offers_one_artifact_that_is_active_and_not_deprecated(aws: Aws) -> None:
    catalog = aws.client("servicecatalog")
    found = catalog.search_products(Filters={"FullTextSearch": ["account factory"]})["ProductViewSummaries"]
    assert [(product["ProductId"], product["Name"]) for product in found] == [
        (ACCOUNT_FACTORY_PRODUCT, ACCOUNT_FACTORY_NAME)
    ]

    details = catalog.list_provisioning_artifacts(ProductId=ACCOUNT_FACTORY_PRODUCT)["ProvisioningArtifactDetails"]
    usable = [entry["Id"] for entry in details if entry["Active"] and entry["Guidance"] == "DEFAULT"]
    shown = catalog.describe_product(Id=ACCOUNT_FACTORY_PRODUCT)["ProvisioningArtifacts"]

    assert usable == [ACCOUNT_FACTORY_ARTIFACT]
    assert len(details) > len(shown) > 1
    assert [entry["Id"] for entry in shown if entry["Guidance"] == "DEFAULT"] == usable


def test_offers_products_in_the_home_region_only(aws: Aws) -> None:
    assert aws.client("servicecatalog", "eu-west-1").search_products()["ProductViewSummaries"] == []


def test_makes_an_account_in_twenty_simulated_minutes(aws: Aws) -> None:
    record_id = aws.order()["RecordId"]
    statuses = [aws.record(record_id)["Status"]]
    aws.advance(1)
    statuses.append(aws.record(record_id)["Status"])
    assert aws.account_called("team-x") is None
    assert aws.product("team-x")["Status"] == "UNDER_CHANGE"

    aws.advance(10)
    account = aws.account_called("team-x")
    organizations = aws.client("organizations")
    assert organizations.list_parents(ChildId=account["Id"])["Parents"][0]["Type"] == "ROOT"
    aws.advance(7.5)
    assert organizations.list_parents(ChildId=account["Id"])["Parents"][0]["Id"] == unit_id("dem0dem0")
    statuses.append(aws.record(record_id)["Status"])
    aws.advance(1.5)
    statuses.append(aws.record(record_id)["Status"])

    assert statuses == ["CREATED", "IN_PROGRESS", "IN_PROGRESS", "SUCCEEDED"]
    assert aws.product("team-x")["Status"] == "AVAILABLE"
    listed = aws.client("servicecatalog").get_provisioned_product_outputs(ProvisionedProductName="team-x")
    outputs = {entry["OutputKey"]: entry["OutputValue"] for entry in listed["Outputs"]}
    assert outputs["AccountId"] == account["Id"]
    assert outputs["AccountEmail"] == "team-x@corp.example"
    assert outputs["SSOUserPortal"].startswith("https://")
    described = aws.client("servicecatalog").describe_record(Id=record_id)
    assert {entry["OutputKey"] for entry in described["RecordOutputs"]} == set(outputs)


def test_a_day_passed_at_once_ends_as_if_watched(aws: Aws) -> None:
    record = aws.order(values={"ManagedOrganizationalUnit": f"Prod ({unit_id('p1prod00')})"})
    aws.advance(24 * 60)

    ended = aws.record(record["RecordId"])
    assert ended["Status"] == "SUCCEEDED"
    assert (ended["UpdatedTime"] - ended["CreatedTime"]).total_seconds() == pytest.approx(1200, abs=1)
    assert aws.account_called("team-x")["Paths"][0].split("/")[2:4] == [unit_id("platf0rm"), unit_id("p1prod00")]


def test_the_same_token_is_the_same_record(aws: Aws) -> None:
    first, second = aws.order(), aws.order()
    aws.advance(30)
    third = aws.order()

    assert first["RecordId"] == second["RecordId"] == third["RecordId"]
    pages = aws.client("organizations").get_paginator("list_accounts").paginate()
    assert sum(account["Name"] == "team-x" for page in pages for account in page["Accounts"]) == 1
    with pytest.raises(ClientError, match="used before"):
        aws.order(values={"AccountName": "other"})


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"ProvisionedProductName": "playground"}, "InvalidParametersException", "already exists"),
        ({"values": {"AccountEmail": None}}, "InvalidParametersException", "AccountEmail"),
        ({"values": {"Colour": "red"}}, "InvalidParametersException", "Colour"),
        ({"values": {"AccountName": "n" * 51}}, "InvalidParametersException", "AccountName"),
        ({"values": {"AccountEmail": "nobody"}}, "InvalidParametersException", "AccountEmail"),
        ({"ProvisioningArtifactId": "pa-ctafretired02"}, "InvalidParametersException", "not active"),
        ({"ProvisioningArtifactId": "pa-nowhere"}, "ResourceNotFoundException", "pa-nowhere"),
        ({"ProductId": "prod-nowhere"}, "ResourceNotFoundException", "prod-nowhere"),
        ({"PathId": "lpv3-nowhere"}, "ResourceNotFoundException", "lpv3-nowhere"),
        ({"ProvisionedProductName": "-x"}, "ValidationException", "provisionedProductName"),
        ({"ProvisionToken": "a.b"}, "ValidationException", "provisionToken"),
    ],
)
def test_refuses_an_order_at_once(aws: Aws, changes: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(ClientError, match=words) as caught:
        aws.order(**changes)

    assert caught.value.response["Error"]["Code"] == code
    history = aws.client("servicecatalog").list_record_history()
    assert history["RecordDetails"] == []


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"AccountEmail": "PLAYGROUND@corp.example"}, "EmailAlreadyExists"),
        ({"ManagedOrganizationalUnit": "Legacy"}, "InvalidOrganizationalUnit"),
        ({"ManagedOrganizationalUnit": "Prod"}, "InvalidOrganizationalUnit"),
        ({"ManagedOrganizationalUnit": "Nowhere"}, "InvalidOrganizationalUnit"),
        ({"ManagedOrganizationalUnit": f"Test ({unit_id('p1prod00')})"}, "InvalidOrganizationalUnit"),
    ],
)
def test_finds_wrong_later_what_only_control_tower_knows(aws: Aws, values: dict[str, str], code: str) -> None:
    record = aws.order(values=values)
    assert record["Status"] == "CREATED"
    aws.advance(30)

    ended = aws.record(record["RecordId"])
    assert ended["Status"] == "FAILED"
    assert [error["Code"] for error in ended["RecordErrors"]] == [code]
    assert aws.product("team-x")["Status"] == "ERROR"
    assert aws.account_called("team-x") is None


def test_two_orders_for_one_address_make_one_account(aws: Aws) -> None:
    records = [aws.order(name, values={"AccountEmail": "shared@corp.example"}) for name in ("one", "two")]
    aws.advance(30)

    assert [aws.record(record["RecordId"])["Status"] for record in records] == ["SUCCEEDED", "FAILED"]


def test_carries_out_five_orders_at_once_and_not_six(aws: Aws) -> None:
    records = [aws.order(f"team-{number}") for number in range(6)]
    aws.advance(30)

    ended = [aws.record(record["RecordId"]) for record in records]
    assert [record["Status"] for record in ended] == ["SUCCEEDED"] * 5 + ["FAILED"]
    assert ended[5]["RecordErrors"][0]["Code"] == "ConcurrentOperationLimitExceeded"
    again = aws.order("team-6")
    aws.advance(30)
    assert aws.record(again["RecordId"])["Status"] == "SUCCEEDED"


def test_an_update_mends_what_was_tainted(aws: Aws) -> None:
    aws.post("faults", name="tainted", on=True, times=1)
    record = aws.order()
    aws.advance(30)
    assert aws.record(record["RecordId"])["Status"] == "FAILED"
    assert aws.product("team-x")["Status"] == "TAINTED"
    account = aws.account_called("team-x")

    catalog = aws.client("servicecatalog")
    update = {"ProvisionedProductName": "team-x", "UpdateToken": "mend"}
    catalog.update_provisioned_product(**update)
    with pytest.raises(ClientError, match="under change"):
        catalog.update_provisioned_product(ProvisionedProductName="team-x", UpdateToken="other")
    aws.advance(30)

    assert aws.product("team-x")["Status"] == "AVAILABLE"
    assert aws.account_called("team-x")["Id"] == account["Id"]
    repeated = catalog.update_provisioned_product(**update)["RecordDetail"]
    assert repeated["Status"] == "SUCCEEDED"


def test_an_update_makes_the_account_that_failed(aws: Aws) -> None:
    aws.order(values={"AccountEmail": "playground@corp.example"})
    aws.advance(30)
    assert aws.product("team-x")["Status"] == "ERROR"

    record = aws.client("servicecatalog").update_provisioned_product(
        ProvisionedProductName="team-x",
        UpdateToken="again",
        ProvisioningParameters=[
            {"Key": "AccountEmail", "Value": "team-x@corp.example"},
            {"Key": "AccountName", "UsePreviousValue": True},
        ],
    )["RecordDetail"]
    aws.advance(19)
    assert aws.record(record["RecordId"])["Status"] == "IN_PROGRESS"
    aws.advance(2)

    assert aws.record(record["RecordId"])["Status"] == "SUCCEEDED"
    assert aws.product("team-x")["Status"] == "AVAILABLE"
    assert aws.account_called("team-x")["Email"] == "team-x@corp.example"


def test_terminating_takes_the_account_out_of_its_unit(aws: Aws) -> None:
    catalog = aws.client("servicecatalog")
    catalog.terminate_provisioned_product(ProvisionedProductName="playground", TerminateToken="end")
    aws.advance(10)

    assert aws.client("organizations").list_parents(ChildId="555566667777")["Parents"][0]["Type"] == "ROOT"
    with pytest.raises(catalog.exceptions.ResourceNotFoundException):
        aws.product("playground")


def test_searches_what_the_access_level_shows(aws: Aws) -> None:
    aws.order()
    catalog = aws.client("servicecatalog")
    everything = {"Key": "Account", "Value": "self"}
    own = catalog.search_provisioned_products()
    named = catalog.search_provisioned_products(
        AccessLevelFilter=everything, Filters={"SearchQuery": ["name:playground"]}
    )
    pages = list(
        catalog.get_paginator("scan_provisioned_products").paginate(
            AccessLevelFilter=everything, PaginationConfig={"PageSize": 3}
        )
    )

    assert [entry["Name"] for entry in own["ProvisionedProducts"]] == ["team-x"]
    assert [entry["PhysicalId"] for entry in named["ProvisionedProducts"]] == ["555566667777"]
    scanned = [entry["Name"] for page in pages for entry in page["ProvisionedProducts"]]
    assert len(scanned) == len(set(scanned)) > 6
    assert {"playground", "team-x"} <= set(scanned)


def test_account_ids_are_twelve_digits_and_new(aws: Aws) -> None:
    for number in range(4):
        aws.order(f"team-{number}")
    aws.advance(30)
    pages = aws.client("organizations").get_paginator("list_accounts").paginate()
    ids = [account["Id"] for page in pages for account in page["Accounts"]]

    assert len(ids) == len(set(ids)) == 15
    assert all(len(identifier) == 12 and identifier.isdigit() for identifier in ids)


def test_the_order_names_what_parameters_it_takes(aws: Aws) -> None:
    described = aws.client("servicecatalog").describe_provisioning_parameters(
        ProductName=ACCOUNT_FACTORY_NAME, ProvisioningArtifactName="4.0"
    )
    keys = [entry["ParameterKey"] for entry in described["ProvisioningArtifactParameters"]]

    assert keys == [entry["Key"] for entry in order_of("x")["ProvisioningParameters"]]
