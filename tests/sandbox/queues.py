"""Queues as a consumer reads them: in batches, each message deleted."""

import json
from typing import Any

URL = "https://sqs.us-east-1.amazonaws.com/111122223333/quartermaster-releases"


def heard(sqs: Any, url: str = URL) -> list[Any]:
    """All that is in a queue, read in batches of ten and deleted."""
    found: list[Any] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
        found += [json.loads(message["Body"]) for message in messages]
        entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
        assert len(sqs.delete_message_batch(QueueUrl=url, Entries=entries)["Successful"]) == len(messages)
    return found
