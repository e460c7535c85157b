"""Looks at an installation from outside: what works, what does not, and what mends it. Changes nothing."""

from bot.doctor.model import Check, Contributor, Finding, Patient, failed, ok, warning

__all__ = ["Check", "Contributor", "Finding", "Patient", "failed", "ok", "warning"]
