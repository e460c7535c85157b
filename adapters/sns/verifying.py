"""Whether SNS itself posted something, of a topic that may, and not long ago."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

from adapters.sns.addresses import Addresses
from adapters.sns.certificates import BadCertificate, Certificates
from adapters.sns.envelope import Envelope

OLDEST = timedelta(minutes=65)
"""SNS tries to deliver for an hour at most (its delivery policies allow no more), and clocks differ."""
AHEAD = timedelta(minutes=5)
_LONGEST_SIGNATURE = 1_400
"""Characters of a signature in base64: of a key of 8,192 bits."""


class Forged(Exception):
    """It must not be believed; `reason` is for our log, and whoever posted it is not told."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Verifier:
    """Checks envelopes; what costs nothing first, so that strangers make us neither fetch nor calculate."""

    def __init__(
        self,
        topics: Collection[str],
        addresses: Addresses,
        certificates: Certificates,
        now: Callable[[], datetime],
        catch_up: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._topics, self._addresses, self._certificates = frozenset(topics), addresses, certificates
        self._now, self._catch_up = now, catch_up

    async def check(self, envelope: Envelope) -> None:
        """Return when SNS posted it. Raises Forged, and Unavailable when its certificate can't be had."""
        if envelope.topic not in self._topics:
            raise Forged("topic")
        if self._now() - envelope.at < -AHEAD and self._catch_up is not None:
            await self._catch_up()  # the sandbox's clock may have been moved since it was last read
        age = self._now() - envelope.at
        if not -AHEAD <= age <= OLDEST:
            raise Forged("age")
        # The version is not signed, but each names its own hash: a signature of one is none of the other.
        version = envelope.members["SignatureVersion"]
        if version not in ("1", "2"):
            raise Forged("version")
        signature = _signature_of(envelope.members["Signature"])
        url = envelope.members["SigningCertURL"]
        if not self._addresses.is_certificate(url, envelope.topic):
            raise Forged("certificate_url")
        try:
            key = await self._certificates.key_of(url)
        except BadCertificate as error:
            raise Forged("certificate") from error
        algorithm: HashAlgorithm = SHA256() if version == "2" else SHA1()  # noqa: S303 - version 1 is defined so
        try:
            key.verify(signature, envelope.signed_text, PKCS1v15(), algorithm)
        except InvalidSignature as error:
            raise Forged("signature") from error


def _signature_of(text: str) -> bytes:
    if not text or len(text) > _LONGEST_SIGNATURE:
        raise Forged("signature")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Forged("signature") from error
