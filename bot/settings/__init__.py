"""Settings from the environment: the model, the kinds of their values, and what is refused at start."""

from bot.settings.checks import check
from bot.settings.hosts import is_loopback_host, is_near_host
from bot.settings.kinds import CONVERSATION, SANDBOX_TOPICS, SNS_HOSTS
from bot.settings.model import ApiKey, Settings, load_settings

__all__ = [
    "CONVERSATION",
    "SANDBOX_TOPICS",
    "SNS_HOSTS",
    "ApiKey",
    "Settings",
    "check",
    "is_loopback_host",
    "is_near_host",
    "load_settings",
]
