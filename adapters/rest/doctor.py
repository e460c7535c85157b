"""Who may call the REST routes."""

from __future__ import annotations

from collections.abc import Sequence

from bot.doctor import Check, Finding, Patient, ok


def checks(patient: Patient) -> Sequence[Check]:
    """Return the check of REST."""
    settings = patient.settings

    async def rest() -> Finding:
        keys = settings.keys  # raises SettingsError for a key that is too short
        if keys:
            return ok(f"{len(keys)} keys, of " + ", ".join(sorted({key.owner for key in keys})))
        return ok("open to this machine" if settings.is_embedded else "off: API_KEYS is not set")

    return (Check("REST", rest),)
