"""E-mail: approval mails out, the page behind their links, and the mail catcher of the embedded default.

`build` returns the channel: senders for the outbox channels "email" and "sns", the routes
`/account/confirm/{token}` and `/dev/mail`, and the catcher's start and stop.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from fastapi import APIRouter

from adapters.email.approval_page import approval_router
from adapters.email.catcher import MailCatcher, MailFolder
from adapters.email.dev_mail import dev_mail_router
from adapters.email.letter import parse_sender
from adapters.email.reachability import RelayProbe
from adapters.email.sender import MailSender, TopicSender
from adapters.email.topic import Topic
from adapters.email.transport import Relay, SesTransport, SmtpTransport, Transport
from bot.channel import Channel, DeliveryFailed
from bot.errors import Invalid, SettingsError
from bot.services import Services
from bot.settings import Settings


def build(services: Services) -> Channel:
    """Build the channel from settings; raises SettingsError for an SMTP_URL or MAIL_FROM that can't be used."""
    settings = services.settings
    try:
        parse_sender(settings.mail_from)
    except Invalid as error:
        raise SettingsError(f"MAIL_FROM: {error.detail}") from error
    folder = MailFolder(settings.var_dir / "mail", services.clock.now)
    catcher = _catcher(settings, folder)
    transport = _transport(services, catcher)
    router = APIRouter()
    router.routes.extend(approval_router(services).routes)
    router.routes.extend(dev_mail_router(settings, folder).routes)

    probe = RelayProbe(Relay.parse(settings.smtp_url)) if _uses_relay(settings, catcher) else None

    async def ready() -> str:
        if catcher is not None:
            return "" if catcher.port is not None else "the mail catcher does not listen"
        return await probe.fault() if probe else ""

    return Channel(
        name="email",
        router=router,
        senders={
            "email": MailSender(services, transport),
            "sns": TopicSender(services, Topic(services.cloud, settings.sns_approval_topic_arn)),
        },
        start=catcher.start if catcher else None,
        stop=catcher.stop if catcher else None,
        ready=ready,
    )


def _catcher(settings: Settings, folder: MailFolder) -> MailCatcher | None:
    """Return the catcher where mails would otherwise have nowhere to go: PORT+2, or any port with PORT=0."""
    if not settings.is_embedded or settings.smtp_url or settings.mail_transport != "smtp":
        return None
    return MailCatcher(folder, settings.host, settings.port + 2 if settings.port else 0)


def _uses_relay(settings: Settings, catcher: MailCatcher | None) -> bool:
    """Tell whether mails go to the relay of SMTP_URL: not to the catcher and not to SES."""
    return catcher is None and settings.mail_transport == "smtp"


def _transport(services: Services, catcher: MailCatcher | None) -> Transport:
    settings = services.settings
    if settings.mail_transport == "ses":
        return SesTransport(services.cloud, settings.aws_region)
    greeting_name = _greeting_name(settings)
    if catcher is not None:

        def caught() -> Relay:
            if catcher.port is None:
                raise DeliveryFailed("The mail catcher does not listen yet.", retryable=True)
            return Relay(settings.host, catcher.port)

        return SmtpTransport(caught, greeting_name=greeting_name)
    if not settings.smtp_url:
        raise SettingsError("SMTP_URL is not set.", next_step="Set SMTP_URL, or MAIL_TRANSPORT=ses.")
    relay = Relay.parse(settings.smtp_url)
    return SmtpTransport(lambda: relay, greeting_name=greeting_name)


def _greeting_name(settings: Settings) -> str:
    """Return what we call ourselves to relays (RFC 5321, 4.1.1.1), without asking the DNS."""
    host = urlsplit(settings.public_url).hostname or "localhost"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.encode("idna").decode() if not host.isascii() else host
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"
