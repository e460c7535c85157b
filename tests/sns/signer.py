"""SNS as the tests play it: posts signed as its guide says, and hosts that note what is asked of them."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

TOPIC = "arn:aws:sns:eu-west-1:123456789012:insights"
HOST = "https://sns.eu-west-1.amazonaws.com"
CERTIFICATE = f"{HOST}/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem"
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@cache
def key(number: int = 0) -> rsa.RSAPrivateKey:
    """SNS's own key; those of other numbers are forgers'."""
    return rsa.generate_private_key(65537, 2048)


def certificate(number: int = 0, *, since: datetime = NOW - timedelta(days=1), days: int = 365) -> bytes:
    """A certificate of a key, in PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key(number).public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + timedelta(days=days))
    )
    return built.sign(key(number), SHA256()).public_bytes(Encoding.PEM)


def notification(**more: str) -> dict[str, str]:
    """A notification that is not signed yet."""
    return {
        "Type": "Notification",
        "MessageId": str(uuid.uuid4()),
        "TopicArn": TOPIC,
        "Subject": "An insight",
        "Message": '{"MessageType": "NEW_INSIGHT"}\nand a second line',
        "Timestamp": "2026-03-02T08:59:30.123Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE,
        "UnsubscribeURL": f"{HOST}/?Action=Unsubscribe&SubscriptionArn={TOPIC}:1",
        **more,
    }


def confirmation(kind: str = "SubscriptionConfirmation", **more: str) -> dict[str, str]:
    """What SNS posts to a new subscriber, not signed yet."""
    token = "2336412f37fb687f5d51e6e2425e929f52bb4ee2ff8b9c62"
    return {
        "Type": kind,
        "MessageId": str(uuid.uuid4()),
        "Token": token,
        "TopicArn": TOPIC,
        "Message": "You have chosen to subscribe to the topic.",
        "SubscribeURL": f"{HOST}/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={token}",
        "Timestamp": "2026-03-02T08:59:30.123Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE,
        **more,
    }


def signed(post: dict[str, str], *, by: int = 0, as_version: str = "") -> dict[str, str]:
    """The post with a signature; `as_version` signs as another version than the post says."""
    if post["Type"] == "Notification":
        subject = f"Subject\n{post['Subject']}\n" if "Subject" in post else ""
        text = (
            f"Message\n{post['Message']}\nMessageId\n{post['MessageId']}\n{subject}"
            f"Timestamp\n{post['Timestamp']}\nTopicArn\n{post['TopicArn']}\nType\n{post['Type']}\n"
        )
    else:
        text = (
            f"Message\n{post['Message']}\nMessageId\n{post['MessageId']}\nSubscribeURL\n{post['SubscribeURL']}\n"
            f"Timestamp\n{post['Timestamp']}\nToken\n{post['Token']}\nTopicArn\n{post['TopicArn']}\nType\n{post['Type']}\n"
        )
    digest = SHA256() if (as_version or post["SignatureVersion"]) == "2" else SHA1()
    signature = key(by).sign(text.encode(), PKCS1v15(), digest)
    return {**post, "Signature": base64.b64encode(signature).decode()}


def headers(kind: str = "Notification", **more: str) -> dict[str, str]:
    """The headers that SNS sends."""
    return {
        "content-type": "text/plain; charset=UTF-8",
        "user-agent": "Amazon Simple Notification Service Agent",
        "x-amz-sns-message-type": kind,
        **more,
    }


class Internet:
    """Every host there is: notes what is opened, and answers with what `pages` hold."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.pages: dict[str, httpx.Response] = {}
        self.certificate = certificate()
        self.is_asked = asyncio.Event()
        self._held: asyncio.Event | None = None

    def hold(self) -> asyncio.Event:
        """Let every page but the real certificate's be missing, and answer none before the event is set."""
        self._held = asyncio.Event()
        return self._held

    def client(self) -> httpx.AsyncClient:
        """A client that reaches only this."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self._answer), follow_redirects=False)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        self.opened.append(url)
        if self._held is not None and url != CERTIFICATE:
            self.is_asked.set()
            await self._held.wait()
            return httpx.Response(404)
        if url in self.pages:
            return self.pages[url]
        if url.endswith(".pem"):
            return httpx.Response(200, content=self.certificate)
        return httpx.Response(200, text="<ConfirmSubscriptionResponse/>")


def body_of(post: Any) -> bytes:
    """What is sent for a post."""
    return json.dumps(post).encode()
