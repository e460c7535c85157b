"""The key that the sandbox's SNS signs with, and its certificate; both are this process's own."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    "UnsubscribeConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def certificate() -> bytes:
    """The certificate, in PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    since = datetime.now(UTC) - timedelta(days=1)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(_key().public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + timedelta(days=3_650))
    )
    return built.sign(_key(), SHA256()).public_bytes(Encoding.PEM)


def certificate_path() -> str:
    """Where the certificate is served: each has a path of its own, since receivers keep them by it."""
    return f"/SimpleNotificationService-{hashlib.sha256(certificate()).hexdigest()[:32]}.pem"


def sign(members: dict[str, str], version: str) -> str:
    """The signature of a message in version "1" (SHA-1) or "2" (SHA-256), in base64."""
    text = "".join(f"{name}\n{members[name]}\n" for name in _SIGNED[members["Type"]] if name in members)
    digest = SHA256() if version == "2" else SHA1()  # noqa: S303 - version 1 is defined so
    return base64.b64encode(_key().sign(text.encode(), PKCS1v15(), digest)).decode()
