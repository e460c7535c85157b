"""A mail relay for tests: real SMTP on a free port, with what can go wrong switched on by name."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as modern
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class ReceivedMail:
    """One mail as the relay got it."""

    sender: str
    recipients: list[str]
    content: bytes
    was_encrypted: bool
    login: str

    @property
    def message(self) -> EmailMessage:
        return message_from_bytes(self.content, policy=modern)

    def body(self, subtype: str) -> str:
        part = self.message.get_body((subtype,))
        assert part is not None
        return str(part.get_content())


@dataclass
class FakeRelay:
    """The relay's behaviour: answers to RCPT and DATA, who may log in, and what it received."""

    on_rcpt: str = ""
    on_data: str = ""
    breaks_off: bool = False
    logins: dict[str, str] = field(default_factory=dict)
    mails: list[ReceivedMail] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.on_rcpt:
            return self.on_rcpt
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.breaks_off:
            assert server.transport is not None
            server.transport.close()
            return "421 bye"
        if self.on_data:
            return self.on_data
        content = envelope.content
        assert isinstance(content, bytes)
        data: Any = session.auth_data
        login = data.login.decode() if data else ""
        encrypted = session.ssl is not None
        self.mails.append(ReceivedMail(envelope.mail_from or "", list(envelope.rcpt_tos), content, encrypted, login))
        return "250 queued"

    def check_login(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        known = self.logins.get(data.login.decode()) == data.password.decode()
        return AuthResult(success=known, auth_data=data if known else None, handled=False)


@asynccontextmanager
async def running_relay(
    relay: FakeRelay, *, tls: ssl.SSLContext | None = None, implicit: bool = False
) -> AsyncIterator[FakeRelay]:
    """Serve on 127.0.0.1; `tls` offers STARTTLS, or with `implicit` speaks TLS from the first byte."""
    loop = asyncio.get_running_loop()
    sessions: list[SMTP] = []

    def welcome() -> SMTP:
        sessions.append(
            SMTP(
                relay,
                hostname="relay.test",
                loop=loop,
                tls_context=None if implicit else tls,
                authenticator=relay.check_login if relay.logins else None,
                auth_require_tls=False,
            )
        )
        return sessions[-1]

    server = await loop.create_server(welcome, "127.0.0.1", 0, ssl=tls if implicit else None)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
        for session in sessions:
            if session.transport is not None:
                session.transport.close()
        await server.wait_closed()


def self_signed(folder: Path) -> ssl.SSLContext:
    """Return a server context with a certificate that nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "relay.test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "relay.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context
