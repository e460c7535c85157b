"""Who may: Cedar policies decide, this package only asks them. Nothing named means refused."""

from bot.policy.deciding import Policy, asked_candidates
from bot.policy.model import ASK, Decision, Subject, refused
from bot.policy.requirement import Part, Requirement
from bot.policy.surroundings import Circumstances, Surroundings

__all__ = [
    "ASK",
    "Circumstances",
    "Decision",
    "Part",
    "Policy",
    "Requirement",
    "Subject",
    "Surroundings",
    "asked_candidates",
    "refused",
]
