"""What SNS answers without a signature: its certificate, and the links in what it posts."""

from __future__ import annotations

from urllib.parse import parse_qs

from sandbox.errors import AwsError
from sandbox.protocol import Environ, WireResponse
from sandbox.services.sns import confirm
from sandbox.signing import certificate, certificate_path
from sandbox.world import World


def answer_unsigned(world: World, environ: Environ) -> WireResponse | None:
    """The answer to a GET of the certificate or of a link; None for everything else."""
    path = str(environ.get("PATH_INFO", "/"))
    if environ.get("REQUEST_METHOD") != "GET":
        return None
    if path.startswith("/SimpleNotificationService-"):
        is_known = path == certificate_path()
        return WireResponse(
            200 if is_known else 404, {"Content-Type": "text/plain"}, certificate() if is_known else b""
        )
    asked = {name: values[0] for name, values in parse_qs(str(environ.get("QUERY_STRING", ""))).items()}
    with world.lock:
        try:
            if path == "/" and asked.get("Action") == "ConfirmSubscription":
                arn = confirm(world, asked.get("TopicArn", ""), asked.get("Token", ""))
            elif path == "/" and asked.get("Action") == "Unsubscribe":
                arn = asked.get("SubscriptionArn", "")
                if world.zone.subscriptions.pop(arn, None) is not None:
                    world.changed()
            else:
                return None
        except AwsError as error:
            return _xml(400, f"<ErrorResponse><Error><Code>{error.code}</Code></Error></ErrorResponse>")
        finally:
            world.save()
    action = asked["Action"]
    result = f"<{action}Result><SubscriptionArn>{arn}</SubscriptionArn></{action}Result>" if arn else ""
    return _xml(200, f'<{action}Response xmlns="http://sns.amazonaws.com/doc/2010-03-31/">{result}</{action}Response>')


def _xml(status: int, text: str) -> WireResponse:
    return WireResponse(status, {"Content-Type": "text/xml"}, text.encode())
