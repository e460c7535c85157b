"""SNS takes the subjects that AWS takes, and refuses what AWS refuses."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.landing import Aws


@pytest.mark.parametrize("subject", ["Approve", "s" * 99, "Größe 😀", "a"])
def test_takes_a_subject_of_utf_8_below_100_characters(aws: Aws, subject: str) -> None:
    sns = aws.client("sns")
    topic = sns.create_topic(Name="notices")["TopicArn"]
    assert sns.publish(TopicArn=topic, Subject=subject, Message="Please")["MessageId"]


@pytest.mark.parametrize(
    "subject", ["", "s" * 100, "s" * 101, "two\nlines", "a\rb", "a\tb", "bell\x07", "a\u2028b", "a\x7fb"]
)
def test_refuses_a_subject_that_is_too_long_or_has_control_characters(aws: Aws, subject: str) -> None:
    sns = aws.client("sns")
    topic = sns.create_topic(Name="notices")["TopicArn"]
    with pytest.raises(ClientError) as refused:
        sns.publish(TopicArn=topic, Subject=subject, Message="Please")
    assert refused.value.response["Error"]["Code"] == "InvalidParameter"
    assert "Subject" in refused.value.response["Error"]["Message"]
