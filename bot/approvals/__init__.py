"""Approvals: one record behind every surface."""

from bot.approvals.approvals import Approvals
from bot.approvals.asking import ESCALATION, EXPIRY, REMINDER
from bot.approvals.deciding import MAX_REASON
from bot.approvals.views import ApprovalView

__all__ = ["ESCALATION", "EXPIRY", "MAX_REASON", "REMINDER", "ApprovalView", "Approvals"]
