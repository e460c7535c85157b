"""Approvals: one record behind every surface."""

from bot.approvals.approvals import EXPIRY, MAX_REASON, REMINDER, Approvals
from bot.approvals.views import ApprovalView

__all__ = ["EXPIRY", "MAX_REASON", "REMINDER", "ApprovalView", "Approvals"]
