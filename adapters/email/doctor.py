"""Whether mail can leave: the relay's greeting and login, or SES's send quota; and the topic of notices."""

from __future__ import annotations

from collections.abc import Sequence

from aiosmtplib import SMTPException

from adapters.email.letter import parse_sender
from adapters.email.topic import region_of
from adapters.email.transport import Relay, open_relay, refusal
from bot.doctor import Check, Finding, Patient, failed, ok, warning
from bot.doctor.aws import trouble
from bot.errors import CloudError, Invalid


def checks(patient: Patient) -> Sequence[Check]:
    """Return the checks of mail; nothing is sent."""
    settings, cloud = patient.settings, patient.cloud

    async def mail() -> Finding:
        try:
            parse_sender(settings.mail_from)
        except Invalid as error:
            return failed(f"MAIL_FROM: {error.detail}", "Set MAIL_FROM to an address that you may send from.")
        if settings.mail_transport == "ses":
            return await quota()
        if settings.smtp_url:
            return await _greet(Relay.parse(settings.smtp_url))
        if not settings.is_embedded:
            return failed("SMTP_URL is not set", "Set SMTP_URL, or MAIL_TRANSPORT=ses.")
        caught = await _greet(Relay(settings.host, settings.port + 2))
        if caught.state == "ok":
            return ok("the mail catcher answers; mails are at /dev/mail")
        return warning("the mail catcher does not answer: it runs with the bot", "make run")

    async def quota() -> Finding:
        try:
            account = await cloud.call("sesv2", "GetAccount", region=settings.aws_region)
        except CloudError as error:
            return trouble(error, "the bot's identity")
        left = account.get("SendQuota", {})
        sent, most = left.get("SentLast24Hours", 0), left.get("Max24HourSend", 0)
        shown = f"SES in {settings.aws_region}: {sent:g} of {most:g} sent"
        if not account.get("SendingEnabled", True):
            return failed(f"{shown}, but sending is off", "Enable sending: aws sesv2 put-account-sending-attributes")
        if not account.get("ProductionAccessEnabled", True):
            return warning(f"{shown}; only verified addresses get mail", "Ask SES for production access.")
        return ok(f"{shown} in 24 hours")

    async def topic() -> Finding:
        arn = settings.sns_approval_topic_arn
        if not arn:
            return ok("off: SNS_APPROVAL_TOPIC_ARN is not set")
        try:
            await cloud.call("sns", "GetTopicAttributes", region=region_of(arn), TopicArn=arn)
        except CloudError as error:
            if error.code in ("NotFound", "NotFoundException"):
                return failed(f"there is no topic {arn}", "Set SNS_APPROVAL_TOPIC_ARN to one that exists, or unset it.")
            return trouble(error, "the bot's identity")
        return ok(arn)

    return Check("mail", mail), Check("notices of approvals", topic)


async def _greet(relay: Relay) -> Finding:
    where = f"{relay.host}:{relay.port}"
    try:
        smtp = await open_relay(relay, greeting_name="localhost")
        try:
            await smtp.ehlo()
        finally:
            smtp.close()
    except (SMTPException, OSError, TimeoutError) as error:
        return failed(refusal(relay, error).detail.rstrip("."), "Check SMTP_URL: host, port, user and password.")
    return ok(f"{where} takes mail" + (f" from {relay.username}" if relay.username else ""))
