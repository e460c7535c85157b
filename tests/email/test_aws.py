"""SES and SNS over the wire: real boto3 against the sandboxed AWS, whose log tells what was asked for."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import boto3
import pytest

from adapters.aws.cloud import BotoCloud
from adapters.email.letter import Letter, seal
from adapters.email.topic import Topic
from adapters.email.transport import SesTransport
from bot.channel import DeliveryFailed
from bot.settings import Settings
from sandbox.server import Sandbox


@pytest.fixture
def aws() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def cloud(aws: Sandbox, settings_of: Callable[..., Settings]) -> Iterator[BotoCloud]:
    made = BotoCloud(settings_of(aws_endpoint_url=aws.url))
    yield made
    made.close()


async def test_ses_gets_the_whole_mail(aws: Sandbox, cloud: BotoCloud) -> None:
    letter = Letter("k", "bo@bücher.example", "Über 😀", "Grüße\n", "<p>Grüße</p>")
    envelope = seal(letter, sender="Quartermaster <qm@corp.example>", at=datetime(2026, 11, 22, tzinfo=UTC))
    await SesTransport(cloud, "eu-west-1").send(envelope)
    [call] = aws.calls.entries("sesv2", "SendEmail")
    assert (call["status"], call["region"]) == (200, "eu-west-1")
    asked = json.loads(json.dumps(call["params"]))
    assert asked["Destination"] == {"ToAddresses": ["bo@xn--bcher-kva.example"]}
    assert base64.b64decode(asked["Content"]["Raw"]["Data"]) == envelope.content


async def test_sns_takes_any_words(aws: Sandbox, cloud: BotoCloud) -> None:
    client = boto3.client("sns", region_name="us-east-1", endpoint_url=aws.url)
    arn = client.create_topic(Name="notices")["TopicArn"]
    client.close()
    await Topic(cloud, arn).publish("k", "Über\r\n😀" * 80, "Grüße 😀\n" * 1000)
    [call] = aws.calls.entries("sns", "Publish")
    assert call["status"] == 200
    assert call["params"]["Message"] == "Grüße 😀\n" * 1000


async def test_a_topic_that_is_not_there_is_final(cloud: BotoCloud) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        await Topic(cloud, "arn:aws:sns:us-east-1:111122223333:gone").publish("k", "s", "m")
    assert not caught.value.retryable
