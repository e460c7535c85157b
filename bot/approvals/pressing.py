"""A decision by a pressed button: the same wherever the button stands."""

from __future__ import annotations

from bot.activity import Activity
from bot.errors import Conflict, QuartermasterError
from bot.services import Services


def named_in(value: str) -> tuple[str, int]:
    """Return the request and version in an approver's button; a version of 0 is none."""
    request_id, _, version = value.partition(":")
    is_number = version.isascii() and version.isdigit() and len(version) < 10
    return request_id, int(version) if is_number else 0


async def decide_by(services: Services, activity: Activity, decision: str) -> str:
    """Decide as the activity's person for the reason in its text; returns why that was not possible.

    Nothing is wrong when it was this very decision before: it is handled a second time after a crash.
    """
    request_id, version = named_in(activity.value)
    surface = activity.channel
    try:
        await services.approvals.decide_as(
            request_id, version, activity.person, decision, activity.text, surface=surface
        )
    except Conflict as error:
        if await services.approvals.has_decided(request_id, version, activity.person, decision):
            return ""
        return error.sentence()
    except QuartermasterError as error:
        return error.sentence()
    return ""
