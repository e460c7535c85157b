"""The one port: who is asking, what is logged, and a good answer to what isn't served."""

import http.client
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.exceptions import ClientError

from sandbox import services as registered
from sandbox.calls import without_secrets
from sandbox.landing_zone import MANAGEMENT_ACCOUNT
from sandbox.registry import OPERATIONS, SERVICES
from sandbox.server import NotLoopback, Sandbox
from tests.sandbox.landing import Aws


def test_every_served_operation_exists_and_is_signed_as_the_sdk_does() -> None:
    assert registered.__name__ == "sandbox.services"
    session = boto3.Session(region_name="us-east-1")
    models = {name: session.client(name).meta.service_model for name in SERVICES}

    for name, service in SERVICES.items():
        assert models[name].signing_name == service.signing_name
    unknown = [(name, entry) for name, entry in OPERATIONS if entry not in models[name].operation_names]
    assert unknown == []


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "name"),
    [
        ("servicecatalog", "create_portfolio", {"DisplayName": "d", "ProviderName": "p"}, "CreatePortfolio"),
        ("organizations", "leave_organization", {}, "LeaveOrganization"),
        ("ec2", "describe_images", {}, "DescribeImages"),
        ("s3", "list_buckets", {}, "ListBuckets"),
        ("iam", "list_users", {}, "ListUsers"),
        ("dynamodb", "list_tables", {}, "ListTables"),
        ("lexv2-models", "list_imports", {}, "ListImports"),
        ("cloudwatch", "list_dashboards", {}, "ListDashboards"),
    ],
)
def test_names_the_operation_that_it_does_not_serve(
    aws: Aws, service: str, operation: str, parameters: dict[str, Any], name: str
) -> None:
    with pytest.raises(ClientError, match=f"doesn't serve {name}") as caught:
        getattr(aws.client(service), operation)(**parameters)

    assert caught.value.response["Error"]["Code"] == "UnknownOperationException"
    assert aws.get("calls")[-1]["operation"] == name


def test_credentials_of_a_role_act_in_its_account(aws: Aws) -> None:
    sts = aws.client("sts")
    assert sts.get_caller_identity()["Account"] == MANAGEMENT_ACCOUNT
    arn = "arn:aws:iam::555566667777:role/team/Reader"
    given = sts.assume_role(RoleArn=arn, RoleSessionName="bot")["Credentials"]
    keys = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }

    identity = aws.client("sts", **keys).get_caller_identity()
    assert identity["Account"] == "555566667777"
    assert identity["Arn"] == "arn:aws:sts::555566667777:assumed-role/Reader/bot"
    with pytest.raises(ClientError, match="AccessDenied"):
        aws.client("organizations", **keys).list_accounts()
    assert aws.client("servicecatalog", **keys).search_products()["ProductViewSummaries"] == []
    assert aws.get("calls?service=organizations")[0]["account"] == "555566667777"
    with pytest.raises(ClientError, match="AccessDenied"):
        sts.assume_role(RoleArn="arn:aws:iam::999999999999:role/Reader", RoleSessionName="bot")


def test_logs_every_call_without_secrets(aws: Aws) -> None:
    aws.order()
    aws.client("sns", "eu-west-1").list_topics()
    with pytest.raises(ClientError):
        aws.client("organizations").describe_account(AccountId="999999999999")

    calls = aws.get("calls")
    assert [(call["service"], call["operation"], call["status"], call["error"]) for call in calls] == [
        ("servicecatalog", "ProvisionProduct", 200, None),
        ("sns", "ListTopics", 200, None),
        ("organizations", "DescribeAccount", 400, "AccountNotFoundException"),
    ]
    assert calls[0]["params"]["ProvisionToken"] == "token-team-x"
    assert calls[1]["region"] == "eu-west-1"
    assert len({call["request_id"] for call in calls}) == 3
    assert [call["operation"] for call in aws.get("calls?service=sns&operation=ListTopics")] == ["ListTopics"]
    assert aws.get("calls?service=sqs") == []


def test_masks_secrets_wherever_they_are_and_nothing_else() -> None:
    parameters = {
        "ProvisionToken": "kept",
        "SecretId": "kept",
        "SecretString": "hidden",
        "Users": [{"Password": "hidden", "Name": "kept"}],
        "SessionToken": "hidden",
        "PrivateKey": b"hidden",
        "Data": b"kept",
    }

    assert without_secrets(parameters) == {
        "ProvisionToken": "kept",
        "SecretId": "kept",
        "SecretString": "***",
        "Users": [{"Password": "***", "Name": "kept"}],
        "SessionToken": "***",
        "PrivateKey": "***",
        "Data": "a2VwdA==",
    }


def test_takes_mail_and_notices_and_delivers_none(aws: Aws) -> None:
    mail = {
        "FromEmailAddress": "bot@corp.example",
        "Destination": {"ToAddresses": ["approver@corp.example"]},
        "Content": {
            "Simple": {"Subject": {"Data": "Approve"}, "Body": {"Text": {"Data": "Please"}}},
        },
    }
    assert aws.client("sesv2").send_email(**mail)["MessageId"]
    assert aws.client("ses").verify_email_identity(EmailAddress="bot@corp.example")
    sns = aws.client("sns")
    topic = sns.create_topic(Name="approvals")["TopicArn"]
    assert sns.create_topic(Name="approvals")["TopicArn"] == topic
    assert topic in [entry["TopicArn"] for entry in sns.list_topics()["Topics"]]
    assert sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@corp.example")["SubscriptionArn"]
    assert sns.publish(TopicArn=topic, Subject="Approve", Message="Please")["MessageId"]
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.publish(TopicArn=f"{topic}-not", Message="Please")

    sent = aws.get("calls?operation=SendEmail")[0]["params"]
    assert sent["Content"]["Simple"]["Body"]["Text"]["Data"] == "Please"
    assert aws.get("calls?operation=Publish")[0]["params"]["Message"] == "Please"


def test_passes_allowed_operations_on(aws: Aws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="notices")
    s3.put_object(Bucket="notices", Key="first", Body=b"hello")

    assert s3.get_object(Bucket="notices", Key="first")["Body"].read() == b"hello"
    aws.post("reset")
    with pytest.raises(ClientError, match="Not Found"):
        s3.head_bucket(Bucket="notices")


def test_tells_which_units_are_governed(aws: Aws) -> None:
    tower = aws.client("controltower")
    zone = tower.list_landing_zones()["landingZones"][0]["arn"]
    assert tower.get_landing_zone(landingZoneIdentifier=zone)["landingZone"]["status"] == "ACTIVE"
    baselines = {entry["name"]: entry["arn"] for entry in tower.list_baselines()["baselines"]}
    pages = tower.get_paginator("list_enabled_baselines").paginate(
        filter={"baselineIdentifiers": [baselines["AWSControlTowerBaseline"]]}, PaginationConfig={"PageSize": 5}
    )
    targets = [entry["targetIdentifier"].rpartition("/")[2] for page in pages for entry in page["enabledBaselines"]]

    assert len(targets) == 10
    assert "ou-c0rp-1egacy00" not in targets
    assert tower.list_enabled_controls()["enabledControls"]


def test_answers_what_no_sdk_would_send(aws: Aws) -> None:
    where = urlsplit(aws.url).netloc
    signed = "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/{}/aws4_request, SignedHeaders=h, Signature=s"
    target = {"X-Amz-Target": "AWSOrganizationsV20161128.ListAccounts"}
    json_type = {"Content-Type": "application/x-amz-json-1.1"}
    sent: list[tuple[str, dict[str, str], bytes, int, bytes]] = [
        ("/", {}, b"", 403, b"MissingAuthenticationToken"),
        ("/", {"Authorization": "AWS4-HMAC-SHA256 nonsense"}, b"", 403, b"MissingAuthenticationToken"),
        ("/", {"Authorization": signed.format("organizations"), **target, **json_type}, b"[1]", 400, b"Serialization"),
        ("/", {"Authorization": signed.format("organizations"), **json_type}, b"{}", 400, b"UnknownOperation"),
        ("/x", {"Authorization": signed.format("no-such")}, b"\xff", 400, b"UnknownOperation"),
        (
            "/",
            {"Authorization": signed.format("organizations"), **target, **json_type},
            b'{"MaxResults": 21}',
            400,
            b"InvalidInputException",
        ),
    ]
    for path, headers, body, status, words in sent:
        connection = http.client.HTTPConnection(where, timeout=10)
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        assert (answer.status, words in text) == (status, True), text
        assert answer.headers["x-amzn-RequestId"]
        connection.close()


@pytest.mark.parametrize(
    ("method", "route", "status"), [("GET", "nowhere", 404), ("GET", "reset", 405), ("POST", "calls", 405)]
)
def test_control_routes_say_what_there_is(aws: Aws, method: str, route: str, status: int) -> None:
    answered, problem = aws.ask(method, route)
    assert answered == status
    assert "/_sandbox" in problem["detail"]


def test_listens_on_loopback_only() -> None:
    with pytest.raises(NotLoopback, match="loopback only"):
        Sandbox(host="0.0.0.0")


def test_stopping_lets_go_of_calls_that_hang() -> None:
    with Sandbox(speed=0) as sandbox:
        own = Aws(sandbox.url)
        own.post("faults", name="hang", on=True, operation="ListRoots")
        connection = http.client.HTTPConnection(urlsplit(sandbox.url).netloc, timeout=10)
        credential = "Credential=k/20260101/us-east-1/organizations/aws4_request"
        connection.request(
            "POST",
            "/",
            b"{}",
            {
                "Authorization": f"AWS4-HMAC-SHA256 {credential}",
                "X-Amz-Target": "AWSOrganizationsV20161128.ListRoots",
                "Content-Type": "application/x-amz-json-1.1",
            },
        )
        while not own.get("calls"):
            pass
    with pytest.raises(ConnectionResetError):
        connection.getresponse()
    connection.close()
