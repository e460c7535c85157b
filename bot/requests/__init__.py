"""A Request is approved: what somebody asked for, from the confirming yes to its outcome."""

from bot.requests.record import OPEN_STATES, STATE_WORDS, STATES, Filter, RequestRecord, TimelineEntry, no_request
from bot.requests.store import Requests

__all__ = ["OPEN_STATES", "STATES", "STATE_WORDS", "Filter", "RequestRecord", "Requests", "TimelineEntry", "no_request"]
