"""What must not be believed: forged, replayed, of other topics, old, unsigned, or with addresses of others."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from adapters.sns.certificates import MOST, PAUSE
from adapters.sns.route import LARGEST
from tests.sns.conftest import Gate
from tests.sns.signer import CERTIFICATE, HOST, TOPIC, body_of, certificate, confirmation, headers, notification, signed

FILE = CERTIFICATE.rpartition("/")[2]


@pytest.mark.parametrize("version", ["1", "2"])
async def test_a_genuine_notification_of_either_version_is_kept_as_it_was_published(gate: Gate, version: str) -> None:
    post = signed(notification(SignatureVersion=version))
    assert await gate.posts(post) == 200
    (kept,) = gate.kept.values()
    assert (kept.raw["message"], kept.raw["topic"]) == (post["Message"], TOPIC)
    without = {name: value for name, value in notification().items() if name != "Subject"}
    assert await gate.posts(signed(without)) == 200
    assert gate.internet.opened == [CERTIFICATE], "the certificate is fetched once"


async def test_a_replayed_notification_is_acknowledged_and_kept_once(gate: Gate) -> None:
    post = signed(notification())
    assert [await gate.posts(post) for _ in range(3)] == [200, 200, 200]
    assert len(gate.kept) == 1


@pytest.mark.parametrize("name", ["Message", "MessageId", "Subject", "Timestamp"])
async def test_whatever_is_changed_after_signing_is_refused(gate: Gate, name: str) -> None:
    changed = {"Timestamp": "2026-03-02T08:59:31.123Z"}.get(name, "11111111-2222-3333")
    await gate.refuses({**signed(notification()), name: changed}, "signature")


async def test_a_subject_that_is_taken_out_or_put_in_is_refused(gate: Gate) -> None:
    post = signed(notification())
    await gate.refuses({name: value for name, value in post.items() if name != "Subject"}, "signature")
    # The name and value of a member put into another must not sign as two members.
    merged = notification()
    subject = merged.pop("Subject")
    merged["MessageId"] = merged["MessageId"] + f"\nSubject\n{subject}"
    await gate.refuses(signed(merged), "malformed")


@pytest.mark.parametrize("signature", ["", "AAAA", "not base64!", "A" * 5_000])
async def test_an_unsigned_post_is_refused(gate: Gate, signature: str) -> None:
    await gate.refuses({**notification(), "Signature": signature}, "signature")
    await gate.refuses(notification(), "malformed")


async def test_certificates_that_do_not_exist_neither_hold_up_nor_displace_the_one_that_does(gate: Gate) -> None:
    assert await gate.posts(signed(notification())) == 200
    held = gate.internet.hold()
    urls = [CERTIFICATE.replace(".pem", f"{number}.pem") for number in range(MOST + 4)]
    forged = [asyncio.create_task(gate.posts(signed(notification(SigningCertURL=url)))) for url in urls]
    await gate.internet.is_asked.wait()
    assert await gate.posts(signed(notification(MessageId="22222222-2222-2222"))) == 200, "while one is being fetched"
    held.set()
    assert set(await asyncio.gather(*forged)) == {503}
    opened = gate.internet.opened.count(CERTIFICATE)
    assert await gate.posts(signed(notification(MessageId="33333333-3333-3333"))) == 200
    assert gate.internet.opened.count(CERTIFICATE) == opened == 1


async def test_a_post_signed_by_somebody_else_is_refused(gate: Gate) -> None:
    await gate.refuses(signed(notification(), by=1), "signature")


@pytest.mark.parametrize(("says", "signs"), [("1", "2"), ("2", "1")])
async def test_a_signature_of_one_version_is_none_of_the_other(gate: Gate, says: str, signs: str) -> None:
    await gate.refuses(signed(notification(SignatureVersion=says), as_version=signs), "signature")


@pytest.mark.parametrize("version", ["0", "3", "", "2 ", "12"])
async def test_other_versions_are_refused(gate: Gate, version: str) -> None:
    await gate.refuses(signed(notification(SignatureVersion=version), as_version="2"), "version")


@pytest.mark.parametrize(
    "topic",
    [
        "arn:aws:sns:eu-west-1:999999999999:insights",
        "arn:aws:sns:us-east-1:123456789012:insights",
        TOPIC + "2",
        TOPIC.upper(),
        "",
    ],
)
async def test_a_genuine_notification_of_another_topic_is_refused_before_anything_is_fetched(
    gate: Gate, topic: str
) -> None:
    await gate.refuses(signed(notification(TopicArn=topic)), "topic")
    assert gate.internet.opened == []


async def test_what_is_too_old_or_from_the_future_is_refused(gate: Gate) -> None:
    post = signed(notification())
    gate.now += timedelta(minutes=70)
    await gate.refuses(post, "age")
    gate.now -= timedelta(minutes=80)
    await gate.refuses(post, "age")
    assert gate.internet.opened == []


@pytest.mark.parametrize(
    "url",
    [
        f"http://sns.eu-west-1.amazonaws.com/{FILE}",
        f"https://sns.eu-west-1.amazonaws.com.evil.example/{FILE}",
        f"https://evilsns.eu-west-1.amazonaws.com/{FILE}",
        f"https://sns.us-east-1.amazonaws.com/{FILE}",
        f"https://sns.eu-west-1.evil.amazonaws.com/{FILE}",
        f"https://s3.eu-west-1.amazonaws.com/{FILE}",
        f"https://sns.eu-west-1.amazonaws.com@evil.example/{FILE}",
        f"https://evil.example\\@sns.eu-west-1.amazonaws.com/{FILE}",
        f"https://user@sns.eu-west-1.amazonaws.com/{FILE}",
        f"https://sns.eu-west-1.amazonaws.com:8443/{FILE}",
        f"https://sns.eu-west-1.amazonaws.com:bad/{FILE}",
        f"https://sns.eu-west-1.amazonaws.com/bucket/{FILE}",
        f"https://sns.eu-west-1.amazonaws.com/../{FILE}",
        f"https://sns.eu-west-1.amazonaws.com/{FILE}?redirect=evil.example",
        f"https://sns.eu-west-1.amazonaws.com/{FILE}#x",
        f"https://sns.eu-west-1.amazonaws.com/{FILE}%0a",
        f"https://sns.eu-west-1.amazonaws.com/{FILE}\n",
        f"https://sns.eu-west-1.amazonaws.com/evil.pem?{FILE}",
        f"https://sns.eu-west-1.amazonaws.com./{FILE}",
        f"https://SNS.eu-west-1.amazonaws.com/{FILE}",
        f"https://snѕ.eu-west-1.amazonaws.com/{FILE}",
        f"https://127.0.0.1/{FILE}",
        f"http://localhost/{FILE}",
        f"file:///{FILE}",
        f"//sns.eu-west-1.amazonaws.com/{FILE}",
        "",
    ],
)
async def test_a_certificate_is_fetched_from_sns_alone(gate: Gate, url: str) -> None:
    await gate.refuses(signed(notification(SigningCertURL=url)), "certificate_url")
    assert gate.internet.opened == []


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}",
        "http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}",
        HOST + "@evil.example/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}",
        "https://169.254.169.254/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}",
        "https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={topic}&Token={token}",
        HOST + "/?Action=DeleteTopic&TopicArn={topic}&Token={token}",
        HOST + "/?Action=ConfirmSubscription&Action=DeleteTopic&TopicArn={topic}&Token={token}",
        HOST + "/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:1:other&Token={token}",
        HOST + "/?Action=ConfirmSubscription&TopicArn={topic}&Token=other",
        HOST + "/elsewhere?Action=ConfirmSubscription&TopicArn={topic}&Token={token}",
        HOST + "/",
        "",
    ],
)
async def test_a_subscribe_url_that_is_not_sns_s_own_is_never_opened(gate: Gate, url: str) -> None:
    post = confirmation()
    filled = url.format(topic=TOPIC, token=post["Token"])
    await gate.refuses(signed({**post, "SubscribeURL": filled}), "subscribe_url")
    assert gate.internet.opened == [CERTIFICATE]


async def test_a_genuine_confirmation_is_confirmed_and_one_of_another_topic_or_forged_is_not(gate: Gate) -> None:
    post = confirmation()
    await gate.refuses(signed(post, by=1), "signature")
    await gate.refuses(signed(confirmation(TopicArn=TOPIC + "2")), "topic")
    await gate.refuses({**signed(notification()), "Type": "SubscriptionConfirmation"}, "malformed")
    assert await gate.posts(signed(post)) == 200
    assert gate.internet.opened[-1] == post["SubscribeURL"]
    assert gate.kept == {}


async def test_a_redirect_is_not_followed_and_the_confirmation_is_asked_for_again(gate: Gate) -> None:
    post = confirmation()
    gate.internet.pages[post["SubscribeURL"]] = httpx.Response(302, headers={"location": "http://10.0.0.1/"})
    assert await gate.posts(signed(post)) == 503
    assert gate.internet.opened[-1] == post["SubscribeURL"]


async def test_the_end_of_a_subscription_opens_nothing(gate: Gate) -> None:
    assert await gate.posts(signed(confirmation("UnsubscribeConfirmation"))) == 200
    assert gate.internet.opened == [CERTIFICATE]


async def test_a_certificate_that_is_expired_too_large_or_none_is_good_for_nothing(gate: Gate) -> None:
    gate.internet.certificate = certificate(since=gate.now - timedelta(days=30), days=10)
    await gate.refuses(signed(notification()), "certificate")
    other = ""
    for page in (httpx.Response(200, content=b"x" * 30_000), httpx.Response(302), httpx.Response(200, content=b"?")):
        other = CERTIFICATE.replace("0123456789abcdef.pem", f"{len(gate.internet.pages)}.pem")
        gate.internet.pages[other] = page
        assert await gate.posts(signed(notification(SigningCertURL=other))) == 503, "SNS tries it again"
        asked = len(gate.internet.opened)
        assert await gate.posts(signed(notification(SigningCertURL=other))) == 503
        assert len(gate.internet.opened) == asked, "a flood of forgeries makes no flood of fetches"
    gate.now += timedelta(seconds=PAUSE + 1)
    gate.internet.pages[other] = httpx.Response(200, content=certificate())
    assert await gate.posts(signed(notification(SigningCertURL=other))) == 200
    assert len(gate.kept) == 1


async def test_what_is_not_posted_as_sns_posts_it_is_refused(gate: Gate) -> None:
    post = signed(notification())
    await gate.refuses(post, "content_type", **{"content-type": "text/html"})
    await gate.refuses(post, "raw_delivery", **{"x-amz-sns-rawdelivery": "true"})
    await gate.refuses(post, "malformed", **{"x-amz-sns-message-type": "SubscriptionConfirmation"})
    await gate.refuses({**post, "Message": "x" * LARGEST}, "too_large")
    await gate.refuses({**post, "Message": ["a", "list"]}, "malformed")
    await gate.refuses({**post, "Message": "half \ud800"}, "malformed")
    await gate.refuses({**post, "Timestamp": "yesterday"}, "malformed")
    await gate.refuses({**post, "Timestamp": "2026-03-02T08:59:30"}, "malformed")
    for body in (b"", b"[]", b"[" * 100_000, body_of("text"), b"\xff"):
        answer = await gate.client.post("/sns", content=body, headers=headers())
        assert answer.status_code == 400
