"""DynamoDB as boto3 speaks it: the sample's table, scanned in pages and changed item by item."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.delivery.seed import DEPLOYMENTS, TABLE
from tests.sandbox.landing import Aws
from tests.sandbox.members import refusal_of


@pytest.fixture
def table(aws: Aws) -> Any:
    return aws.client("dynamodb")


def ids(page: dict[str, Any]) -> list[str]:
    return [item["id"]["S"] for item in page["Items"]]


def test_the_sample_s_table_has_every_deployment_in_the_sample_s_form(table: Any) -> None:
    described = table.describe_table(TableName=TABLE)["Table"]
    assert (described["TableStatus"], described["ItemCount"]) == ("ACTIVE", len(DEPLOYMENTS))
    assert described["KeySchema"] == [{"AttributeName": "id", "KeyType": "HASH"}]
    page = table.scan(TableName=TABLE, ConsistentRead=True)
    assert (page["Count"], page["ScannedCount"], "LastEvaluatedKey" in page) == (11, 11, False)
    assert {
        "id": {"S": "acme"},
        "type": {"S": "silo"},
        "account": {"S": "444466667777"},
        "region": {"S": "us-east-1"},
    } in (page["Items"])


def test_a_scan_in_pages_sees_each_item_once_also_when_its_start_is_gone(table: Any) -> None:
    whole = ids(table.scan(TableName=TABLE))
    pages = list(table.get_paginator("scan").paginate(TableName=TABLE, Limit=4))
    assert [name for page in pages for name in ids(page)] == whole
    assert len(pages) == 3
    start = pages[0]["LastEvaluatedKey"]
    assert start == {"id": {"S": whole[3]}}
    table.delete_item(TableName=TABLE, Key=start)
    assert ids(table.scan(TableName=TABLE, ExclusiveStartKey=start)) == whole[4:]
    exact = table.scan(TableName=TABLE, Limit=10)
    assert table.scan(TableName=TABLE, ExclusiveStartKey=exact["LastEvaluatedKey"])["Items"] == []
    for number in range(4):
        table.put_item(TableName=TABLE, Item={"id": {"S": f"large{number}"}, "text": {"S": "x" * 390_000}})
    assert len(list(table.get_paginator("scan").paginate(TableName=TABLE))) == 2


def test_items_of_every_type_come_back_as_they_were_put(table: Any) -> None:
    item = {
        "id": {"S": "umbrella"},
        "count": {"N": "1e2"},
        "raw": {"B": b"\x00\xff"},
        "is_on": {"BOOL": False},
        "nothing": {"NULL": True},
        "words": {"SS": ["a", "b"]},
        "nested": {"M": {"list": {"L": [{"N": "0.50"}, {"S": ""}]}}},
    }
    assert "Attributes" not in table.put_item(TableName=TABLE, Item=item, ReturnValues="ALL_OLD")
    kept = {**item, "count": {"N": "100"}, "nested": {"M": {"list": {"L": [{"N": "0.5"}, {"S": ""}]}}}}
    key = {"id": {"S": "umbrella"}}
    assert table.get_item(TableName=TABLE, Key=key, ConsistentRead=True)["Item"] == kept
    replaced = table.put_item(TableName=TABLE, Item=key, ReturnValues="ALL_OLD")
    assert replaced["Attributes"] == kept
    assert table.delete_item(TableName=TABLE, Key=key, ReturnValues="ALL_OLD")["Attributes"] == key
    assert "Item" not in table.get_item(TableName=TABLE, Key=key)
    assert "Attributes" not in table.delete_item(TableName=TABLE, Key=key, ReturnValues="ALL_OLD")


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"type": {"S": "silo"}}, "Missing the key id in the item"),
        ({"id": {"N": "7"}}, "Type mismatch for key id expected: S actual: N"),
        ({"id": {"S": ""}}, "empty string value. Key: id"),
        ({"id": {"S": "a"}, "n": {"N": "seven"}}, "cannot be converted to a numeric value: seven"),
        ({"id": {"S": "a"}, "n": {"S": "x", "N": "1"}}, "more than one datatypes set"),
        ({"id": {"S": "a"}, "n": {"SS": []}}, "set  may not be empty"),
        ({"id": {"S": "a"}, "n": {"S": "x" * 410_000}}, "Item size has exceeded"),
    ],
)
def test_malformed_items_are_refused_in_dynamodb_s_words(table: Any, item: dict[str, Any], words: str) -> None:
    with pytest.raises(table.exceptions.ClientError) as caught:
        table.put_item(TableName=TABLE, Item=item)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert words in caught.value.response["Error"]["Message"]


def test_errors_have_dynamodb_s_own_codes(aws: Aws, table: Any) -> None:
    for method in (table.describe_table, table.scan):
        assert refusal_of(method, TableName="nothing") == "ResourceNotFoundException"
    assert refusal_of(aws.client("dynamodb", region="eu-west-1").scan, TableName=TABLE) == "ResourceNotFoundException"
    assert refusal_of(table.get_item, TableName=TABLE, Key={"type": {"S": "silo"}}) == "ValidationException"
    assert refusal_of(table.scan, TableName=TABLE, FilterExpression="attribute_exists(id)") == "ValidationException"
    aws.post("faults", name="throttling", on=True, operations=["dynamodb:Scan"])
    assert refusal_of(table.scan, TableName=TABLE) == "ProvisionedThroughputExceededException"


def test_conditions_hold_or_change_nothing(table: Any) -> None:
    item = {name: {"S": value} for name, value in (("id", "acme"), ("account", "111122223333"))}
    names, values = {"#id": "id"}, {":a": {"S": "999999999999"}}
    failed = "ConditionalCheckFailedException"
    fresh = {"ConditionExpression": "attribute_not_exists(#id)", "ExpressionAttributeNames": names}
    before = table.get_item(TableName=TABLE, Key={"id": item["id"]})["Item"]
    assert refusal_of(table.put_item, TableName=TABLE, Item=item, **fresh) == failed
    other = {
        "ConditionExpression": "#account = :a AND attribute_exists(id)",
        "ExpressionAttributeNames": {"#account": "account"},
        "ExpressionAttributeValues": values,
    }
    assert refusal_of(table.delete_item, TableName=TABLE, Key={"id": item["id"]}, **other) == failed
    assert table.get_item(TableName=TABLE, Key={"id": item["id"]})["Item"] == before
    right = {**other, "ExpressionAttributeValues": {":a": before["account"]}}
    table.delete_item(TableName=TABLE, Key={"id": item["id"]}, **right)
    assert refusal_of(table.delete_item, TableName=TABLE, Key={"id": item["id"]}, **right) == failed
    table.put_item(TableName=TABLE, Item=item, **fresh)
    assert table.get_item(TableName=TABLE, Key={"id": item["id"]})["Item"] == item


@pytest.mark.parametrize(
    ("condition", "names", "values"),
    [
        ("account = :a", {}, {":a": {"S": "1"}}),
        ("#a = :a", {}, {":a": {"S": "1"}}),
        ("#a = :a", {"#a": "account"}, {}),
        ("attribute_exists(id)", {"#a": "account"}, {}),
        ("size(id) > :a", {}, {":a": {"N": "1"}}),
    ],
    ids=["a reserved word", "an unknown name", "an unknown value", "an unused name", "what is not served"],
)
def test_conditions_that_say_nothing_clear_are_refused(
    table: Any, condition: str, names: dict[str, str], values: dict[str, Any]
) -> None:
    given: dict[str, Any] = {"ConditionExpression": condition}
    given |= {"ExpressionAttributeNames": names} if names else {}
    given |= {"ExpressionAttributeValues": values} if values else {}
    key = {"id": {"S": "acme"}}
    assert refusal_of(table.delete_item, TableName=TABLE, Key=key, **given) == "ValidationException"
    assert table.get_item(TableName=TABLE, Key=key)["Item"]
