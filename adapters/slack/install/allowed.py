"""Which workspaces are served: SLACK_ALLOWED_TEAMS, by ids that nobody can choose or change."""

from __future__ import annotations

from collections.abc import Sequence


class AllowList:
    """Ids of workspaces (T…) and of Enterprise Grid organizations (E…); an organization's id allows all in it."""

    def __init__(self, ids: Sequence[str]) -> None:
        self.ids = tuple(ids)

    def has(self, team_id: str | None, enterprise_id: str | None) -> bool:
        """Tell whether the workspace, or the organization it is part of, is on the list."""
        return bool({team_id, enterprise_id} & set(self.ids))

    def has_organization(self, enterprise_id: str | None) -> bool:
        """Tell whether a whole organization is on the list, as an org-wide installation needs."""
        return enterprise_id in self.ids
