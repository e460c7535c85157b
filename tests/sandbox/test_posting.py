"""SNS posts to endpoints: once they have confirmed, signed, again when they fail, and what DevOps Guru has found."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from sandbox.server import Sandbox
from tests.sandbox.landing import Aws
from tests.sandbox.members import client_in
from tests.support.endpoint import Endpoint

INSIGHTS = "arn:aws:sns:us-east-1:333344445555:quartermaster-insights"


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        yield endpoint


def open_url(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as answer:
        content: bytes = answer.read()
    return content


def subscribe(aws: Aws, topic: str, endpoint: Endpoint) -> str:
    """Subscribe and confirm; returns the subscription's ARN."""
    sns = aws.client("sns")
    told = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint.url, ReturnSubscriptionArn=True)
    asked = endpoint.waits_for(1)[0]
    open_url(asked["SubscribeURL"])
    return str(told["SubscriptionArn"])


def verify(post: dict[str, str]) -> None:
    names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    if post["Type"] != "Notification":
        names = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{post[name]}\n" for name in names if name in post)
    key = x509.load_pem_x509_certificate(open_url(post["SigningCertURL"])).public_key()
    assert isinstance(key, RSAPublicKey)
    digest = SHA256() if post["SignatureVersion"] == "2" else SHA1()
    key.verify(base64.b64decode(post["Signature"]), text.encode(), PKCS1v15(), digest)


def test_an_endpoint_is_asked_to_confirm_and_then_posted_what_is_published(aws: Aws, endpoint: Endpoint) -> None:
    sns = aws.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    told = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint.url)
    assert told["SubscriptionArn"] == "pending confirmation"
    (asked,) = endpoint.waits_for(1)
    assert endpoint.posts[0][0]["x-amz-sns-message-type"] == asked["Type"] == "SubscriptionConfirmation"
    assert endpoint.posts[0][0]["content-type"] == "text/plain; charset=UTF-8"
    verify(asked)
    sns.publish(TopicArn=topic, Message="too early")
    open_url(asked["SubscribeURL"])
    arn = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"][0]["SubscriptionArn"]
    for version, number in (("1", 2), ("2", 3)):
        sns.set_topic_attributes(TopicArn=topic, AttributeName="SignatureVersion", AttributeValue=version)
        sent = sns.publish(TopicArn=topic, Message="a\nb", Subject="s")["MessageId"]
        post = endpoint.waits_for(number)[-1]
        assert (post["Message"], post["MessageId"], post["SignatureVersion"]) == ("a\nb", sent, version)
        assert endpoint.posts[-1][0]["x-amz-sns-subscription-arn"] == arn
        verify(post)
    sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName="RawMessageDelivery", AttributeValue="true")
    sns.publish(TopicArn=topic, Message="plain")
    assert endpoint.waits_for(4)[-1] == "plain"
    assert endpoint.posts[-1][0]["x-amz-sns-rawdelivery"] == "true"


def test_what_fails_is_posted_again_later_and_what_is_refused_is_not(aws: Aws, endpoint: Endpoint) -> None:
    sns = aws.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    subscribe(aws, topic, endpoint)
    endpoint.status = 503
    first = sns.publish(TopicArn=topic, Message="again")["MessageId"]
    endpoint.waits_for(2)
    for number, seconds in enumerate((1, 5, 20), 3):
        aws.post("clock", advance=seconds)
        assert endpoint.waits_for(number)[-1]["MessageId"] == first
    endpoint.status = 403
    aws.post("clock", advance=60)
    endpoint.waits_for(6)
    endpoint.status = 200
    aws.post("clock", advance=600)
    sns.publish(TopicArn=topic, Message="next")
    assert [post["Message"] for post in endpoint.waits_for(7)[1:]] == ["again"] * 5 + ["next"]


def test_what_could_not_be_posted_before_a_restart_is_posted_after_it(tmp_path: Path, endpoint: Endpoint) -> None:
    with Sandbox(speed=0, state=tmp_path / "state.sqlite") as sandbox:
        aws = Aws(sandbox.url)
        subscribe(aws, INSIGHTS, endpoint)
        endpoint.status = 500
        aws.client("sns").publish(TopicArn=INSIGHTS, Message="kept")
        endpoint.waits_for(2)
        aws.close()
    endpoint.status = 200
    with Sandbox(speed=0, state=tmp_path / "state.sqlite") as sandbox:
        Aws(sandbox.url).post("clock", advance=60)
        assert endpoint.waits_for(3)[-1]["Message"] == "kept"
        verify(endpoint.posts[-1][1])


def test_a_played_story_is_told_from_the_deployment_to_the_end(aws: Aws, endpoint: Endpoint) -> None:
    subscribe(aws, INSIGHTS, endpoint)
    functions = client_in(aws, "666677778888", "lambda")
    functions.update_function_code(FunctionName="checkout-handler", ZipFile=b"new")
    aws.advance(50)
    guru = aws.client("devops-guru")
    (open_one,) = [
        i
        for i in guru.list_organization_insights(
            StatusFilter={"Ongoing": {"Type": "REACTIVE"}}, AccountIds=["666677778888"]
        )["ReactiveInsights"]
        if i["Severity"] == "HIGH" and i["Id"] == told(endpoint, 4)[-1]["InsightId"]
    ]
    assert open_one["ServiceCollection"] == {"ServiceNames": ["LAMBDA"]}
    kept_ready = {"Qualifier": "live", "ProvisionedConcurrentExecutions": 5}
    answer = functions.put_provisioned_concurrency_config(FunctionName="checkout-handler", **kept_ready)
    assert answer["Status"] == "IN_PROGRESS"
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.put_provisioned_concurrency_config(FunctionName="banana", **kept_ready)
    aws.advance(20)
    messages = told(endpoint, 5)
    assert [m["MessageType"] for m in messages] == [
        "NEW_INSIGHT",
        "NEW_RECOMMENDATION",
        "NEW_ASSOCIATION",
        "SEVERITY_UPGRADED",
        "CLOSED_INSIGHT",
    ]
    assert [m["InsightSeverity"] for m in messages] == ["medium", "medium", "medium", "high", "high"]
    assert [len(m["Anomalies"]) for m in messages] == [1, 1, 2, 2, 2]
    lasted = (messages[4]["EndTime"] - messages[0]["StartTime"]) // 60_000
    assert lasted in (53, 54), "it opens 12 minutes after the deployment's minute, and closes 15 after the fix"
    status, problem = aws.ask("POST", "stories", {"name": "lambda-duration", "fixed": True})
    assert (status, "No story" in problem["detail"]) == (422, True)
    assert aws.ask("POST", "stories", {"name": "banana"})[0] == 422


def test_more_memory_ends_what_a_deployment_of_the_service_began(aws: Aws) -> None:
    guru, ecs = aws.client("devops-guru"), client_in(aws, "777799990000", "ecs")

    def deploys(memory: int) -> None:
        containers = [{"name": "app", "image": "orders:2", "memory": memory}]
        made = ecs.register_task_definition(family="orders", containerDefinitions=containers)["taskDefinition"]
        service = ecs.update_service(cluster="shop", service="orders", taskDefinition=made["taskDefinitionArn"])
        assert service["service"]["serviceName"] == "orders"

    def is_open() -> bool:
        wish = {"StatusFilter": {"Ongoing": {"Type": "PROACTIVE"}}, "AccountIds": ["777799990000"]}
        found = guru.list_organization_insights(**wish)["ProactiveInsights"]
        return any("ECS memory" in insight["Name"] for insight in found)

    assert not is_open()
    deploys(512)
    aws.advance(40)
    assert is_open()
    with pytest.raises(ecs.exceptions.ClientException):
        ecs.update_service(service="orders", taskDefinition="orders:9")
    deploys(1_024)
    aws.advance(21)
    assert not is_open()


def test_a_channel_tells_only_what_it_is_narrowed_to(aws: Aws, endpoint: Endpoint) -> None:
    guru, sns = aws.client("devops-guru"), aws.client("sns")
    topic = sns.create_topic(Name="grave")["TopicArn"]
    filters = {"Severities": ["HIGH"], "MessageTypes": ["SEVERITY_UPGRADED", "CLOSED_INSIGHT"]}
    added = guru.add_notification_channel(Config={"Sns": {"TopicArn": topic}, "Filters": filters})["Id"]
    assert guru.list_notification_channels()["Channels"][0]["Config"]["Filters"] == filters
    subscribe(aws, topic, endpoint)
    aws.post("stories", name="ecs-memory")
    aws.advance(5 * 60)
    (message,) = told(endpoint, 1)
    assert (message["MessageType"], message["InsightType"]) == ("SEVERITY_UPGRADED", "PROACTIVE")
    with pytest.raises(guru.exceptions.ConflictException):
        guru.add_notification_channel(Config={"Sns": {"TopicArn": topic}})
    guru.remove_notification_channel(Id=added)
    with pytest.raises(guru.exceptions.ResourceNotFoundException):
        guru.remove_notification_channel(Id=added)


def told(endpoint: Endpoint, count: int) -> list[Any]:
    """Return what was published so far about the stories, once so many have come after the confirmation."""
    posts = endpoint.waits_for(count + 1)
    return [json.loads(post["Message"]) for post in posts if post["Type"] == "Notification"]
