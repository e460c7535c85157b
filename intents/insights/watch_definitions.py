"""What people say to be told about insights, to be told no more, and to be left alone for a while."""

from __future__ import annotations

from bot.intent import Definition, Slot, SlotType

_ROOM = Slot(
    "Room", SlotType("RoomName", pattern="#[0-9A-Za-z_-]{1,80}", listed=False), required=False, label="Channel"
)
_WINDOW = Slot("Window", SlotType("AMAZON.Duration"), required=False, label="Time")
_DAY = Slot("Day", SlotType("AMAZON.Date"), required=False, label="Day")


def define_begin() -> Definition:
    """Return the definition of the order to tell a room."""
    return Definition(
        name="InsightsWatch",
        title="watch for insights",
        description="Tell a channel, or you, about insights as they open, get worse and close.",
        utterances=(
            "tell {Room} about high severity insights",
            "tell {Room} about insights in production",
            "tell {Room} about new insights",
            "tell us here about high severity insights",
            "tell us here about insights in an account",
            "tell us about new insights here",
            "send me a message when an insight opens",
            "ping us about new insights",
            "send me a dm about new insights",
            "tell us when an insight opens",
            "tell us whenever something breaks in production",
            "tell me when a high severity insight opens",
            "tell me whenever an insight opens",
            "tell me about new insights",
            "tell me about insights from now on",
            "let me know when something breaks",
            "let me know about new insights",
            "let us know about new insights",
            "let {Room} know about high severity insights",
            "notify {Room} about insights",
            "notify us about high severity insights",
            "notify me about new insights",
            "alert {Room} about high severity insights",
            "alert us about new insights",
            "keep me posted about insights",
            "keep us posted about high severity insights",
            "keep {Room} posted about insights",
            "post new insights to {Room}",
            "send high severity insights to {Room}",
            "watch for high severity insights",
            "watch for insights in production",
            "watch for insights in an account",
            "watch for insights of the stack checkout-service",
            "tell us here about insights of the stack checkout-service",
            "tell us here about insights tagged team=webshop",
            "tell {Room} about insights tagged team=webshop during working hours",
            "warn us about proactive insights",
            "ping me when something breaks in production",
            "ping {Room} when an insight opens",
            "let me know if lambda goes bad",
            "let us know if something goes wrong in production",
            "don't bother us at night",
            "don't bother us at night any more",
            "don't wake us at night",
            "do not disturb us overnight",
            "be quiet at night",
            "no news at night",
            "leave us alone at night",
            "keep quiet hours from ten to seven",
            "don't disturb us between ten and seven",
            "leave us alone outside working hours",
            "bother us at night again",
            "end the quiet hours",
            "no quiet hours any more",
        ),
        slots=(_ROOM,),
        examples=("tell us here about high severity insights in Production", "don't bother us at night"),
    )


def define_list() -> Definition:
    """Return the definition of the question what is watched for."""
    return Definition(
        name="InsightsWatchList",
        title="list of watches",
        description="Tell what is watched for, for whom, and what is muted.",
        utterances=(
            "what do you watch for",
            "which notifications are set up here",
            "which alerts are set up for this channel",
            "what are you watching for",
            "what do you watch",
            "what are you watching",
            "which watches are there",
            "list the watches",
            "show our watches",
            "show all watches",
            "what do you tell us about",
            "what do you tell {Room} about",
            "who is told about insights",
            "who gets notified about insights",
            "what is muted",
            "which insights are muted",
        ),
        slots=(_ROOM,),
        examples=("what do you watch for?",),
    )


def define_end() -> Definition:
    """Return the definition of the order to tell no more."""
    return Definition(
        name="InsightsWatchEnd",
        title="end of a watch",
        description="Stop telling a channel, or you, about insights.",
        utterances=(
            "stop telling {Room} about high severity insights",
            "stop telling {Room} about insights",
            "stop telling us about high severity insights",
            "stop telling us about insights",
            "unsubscribe me from insights",
            "unsubscribe us from the insights",
            "stop telling me about insights",
            "stop telling us here about insights",
            "stop notifying {Room}",
            "stop notifying us about insights",
            "stop alerting {Room} about insights",
            "stop watching for insights",
            "stop watching for high severity insights",
            "stop the watch",
            "end the watch",
            "end all watches",
            "remove the watch for high severity insights",
            "don't tell us about insights any more",
            "do not tell {Room} about insights any more",
            "no longer tell {Room} about insights",
            "stop all notifications",
            "stop notifying me",
            "no more notifications about insights",
        ),
        slots=(_ROOM,),
        examples=("stop telling us about high severity insights in Production",),
    )


def define_mute() -> Definition:
    """Return the definition of the order to leave a room alone for a while."""
    return Definition(
        name="InsightMute",
        title="mute",
        description="Mute an insight, or all of an account, in this channel for a while.",
        utterances=(
            "mute this for {Window}",
            "mute that for {Window}",
            "mute it for {Window}",
            "mute this insight for {Window}",
            "mute that one for {Window}",
            "mute this",
            "mute this until {Day}",
            "mute it until {Day}",
            "mute the second one for {Window}",
            "mute account for {Window}",
            "snooze all insights of the account for {Window}",
            "no news about the account for {Window}",
            "mute the account until {Day}",
            "mute account until {Day}",
            "mute this account for {Window}",
            "snooze this for {Window}",
            "snooze that one until {Day}",
            "silence this for {Window}",
            "be quiet about this for {Window}",
            "shut up about this for {Window}",
            "shut up about this",
            "mute it till {Day}",
            "snooze for {Window}",
            "unmute this",
            "unmute that one",
            "unmute the account",
            "unmute account",
        ),
        slots=(_WINDOW, _DAY),
        examples=("mute this for 2 hours",),
    )
