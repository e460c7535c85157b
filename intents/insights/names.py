"""What accounts and OUs are called."""

from __future__ import annotations

from dataclasses import dataclass

from bot.organization import Organization


@dataclass(frozen=True)
class Names:
    """What accounts and OUs are called."""

    organization: Organization

    def account(self, account_id: str) -> str:
        """Return an account's name with its id."""
        known = self.organization.account(account_id)
        return f"{known['Name']} ({account_id})" if known else account_id

    def unit(self, unit_id: str) -> str:
        """Return an OU's path; its id when it is not known any more."""
        return next((unit.path for unit in self.organization.units if unit.id == unit_id), unit_id)

    def above(self, unit_id: str) -> tuple[str, ...]:
        """Return the paths of an OU and of all above it, the top one first."""
        parts = self.unit(unit_id).split("/")
        return tuple("/".join(parts[: n + 1]) for n in range(len(parts))) if unit_id else ()
