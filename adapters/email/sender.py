"""What the outbox hands over becomes a mail or a notice here: minted, rendered and sent in one go."""

from __future__ import annotations

from adapters.email.letter import Letter, seal
from adapters.email.news import write_news
from adapters.email.picture import Picture, picture_approval, picture_request
from adapters.email.rendering import render
from adapters.email.topic import Topic
from adapters.email.transport import Transport
from bot.channel import Delivery, DeliveryFailed
from bot.errors import Invalid, NotFound
from bot.requests import RequestRecord
from bot.services import Services


class MailSender:
    """Delivers the outbox channel "email": {"kind": "approval", …}, {"kind": "approval_notice", …} and "news"."""

    def __init__(self, services: Services, transport: Transport) -> None:
        self._services = services
        self._transport = transport

    async def __call__(self, delivery: Delivery) -> None:
        """Send one mail, or return without one when nothing is left to decide; raises DeliveryFailed."""
        match delivery.payload.get("kind"):
            case "approval":
                letter = await self._write_approval(delivery)
            case "approval_notice":
                letter = await self._write_notice(delivery)
            case "news":
                letter = write_news(delivery)
            case kind:
                raise DeliveryFailed(f"No mail is known of kind {kind!r}.", retryable=False)
        if letter is None:
            return
        try:
            envelope = seal(letter, sender=self._services.settings.mail_from, at=self._services.clock.wall())
        except Invalid as error:
            raise DeliveryFailed(error.detail, retryable=False) from error
        await self._transport.send(envelope)

    async def _write_approval(self, delivery: Delivery) -> Letter | None:
        """Write the personal mail; its token exists in clear only here and in the mail."""
        minted = await self._services.approvals.mint(_text(delivery, "approval_id"))
        if minted is None:
            return None
        token, view = minted
        picture = picture_approval(self._services, view)
        reminder = "Reminder: " if delivery.payload.get("reminder") else ""
        subject = f"{reminder}Approval needed: {picture.summary}"
        values = {
            "picture": picture,
            "to": view.approver,
            "subject": subject,
            "preview": _preview(picture),
            "link": f"{self._services.settings.public_url.rstrip('/')}/account/confirm/{token}",
            "in_place_of": view.in_place_of,
            "signs_in_at": view.page,
        }
        text, html = render("approval.txt", **values), render("approval.html", **values)
        return Letter(key=delivery.key, to=view.approver, subject=subject, text=text, html=html)

    async def _write_notice(self, delivery: Delivery) -> Letter | None:
        """Write to a mailbox that several people read: no token is minted for it."""
        record = await find_waiting(self._services, delivery)
        if record is None:
            return None
        to = _text(delivery, "to")
        picture = picture_request(self._services, record)
        subject = f"Approval needed: {picture.summary}"
        values = {
            "picture": picture,
            "subject": subject,
            "preview": _preview(picture),
            "why": f"This notice goes to {to}, which is told of requests like this one.",
        }
        text, html = render("notice.txt", **values), render("notice.html", **values)
        return Letter(key=delivery.key, to=to, subject=subject, text=text, html=html)


class TopicSender:
    """Delivers the outbox channel "sns"."""

    def __init__(self, services: Services, topic: Topic) -> None:
        self._services = services
        self._topic = topic

    async def __call__(self, delivery: Delivery) -> None:
        """Publish one notice, or return without one when there is nothing left to decide."""
        if delivery.payload.get("kind") != "approval_notice":
            raise DeliveryFailed(f"No notice is known of kind {delivery.payload.get('kind')!r}.", retryable=False)
        record = await find_waiting(self._services, delivery)
        if record is None:
            return
        picture = picture_request(self._services, record)
        why = "This notice goes to the topic that is told of approvals."
        message = render("notice.txt", picture=picture, why=why)
        await self._topic.publish(delivery.key, f"Approval needed: {picture.summary}", message)


async def find_waiting(services: Services, delivery: Delivery) -> RequestRecord | None:
    """Return the request that a notice is about, None once that version no longer waits for approval."""
    try:
        record = await services.requests.find(_text(delivery, "request_id"))
    except NotFound as error:
        raise DeliveryFailed(error.detail, retryable=False) from error
    if record.version != delivery.payload.get("version") or record.state != "awaiting_approval":
        return None
    return record


def _preview(picture: Picture) -> str:
    """Return what mail programs show beside the subject."""
    who = picture.requester_email + (f" (“{picture.requester_name}”)" if picture.requester_name else "")
    return f"{who} asks; it lapses {picture.expires_in}." if picture.expires_in else f"{who} asks."


def _text(delivery: Delivery, name: str) -> str:
    value = delivery.payload.get(name)
    if not isinstance(value, str) or not value:
        raise DeliveryFailed(f"The outbox row names no {name}.", retryable=False)
    return value
