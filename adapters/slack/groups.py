"""Slack's user groups as keepers of groups: who is in one, by the ids of its workspace and its own."""

from __future__ import annotations

from adapters.slack.persons import Persons
from adapters.slack.web import SlackRefused, Web
from adapters.slack.workspaces import Workspace, Workspaces
from bot.errors import NotFound, Unavailable

SOURCE = "slack"
_GONE = frozenset({"no_such_subteam", "subteam_not_found", "team_not_found"})


class SlackGroups:
    """Reads user groups. Guests and people of other organisations count as nobody, as everywhere."""

    def __init__(self, web: Web, workspaces: Workspaces, persons: Persons) -> None:
        self._web, self._workspaces, self._persons = web, workspaces, persons

    async def members(self, group: str) -> tuple[str, ...]:
        """Return the addresses of a group's members, by “T…/S…”. Raises NotFound, Unavailable or SlackRefused."""
        home, _, subteam = group.partition("/")
        workspace = await self._workspace(home)
        of_team = {"team_id": home} if workspace.enterprise_id and home.startswith("T") else {}
        listed = await self._web.call(workspace.token, "usergroups_list", include_disabled=False, **of_team)
        found = next((entry for entry in listed.get("usergroups", ()) if entry.get("id") == subteam), None)
        if found is None or found.get("date_delete"):
            raise NotFound(f"Slack has no user group {group}, or it is disabled.")
        if found.get("is_external"):
            raise NotFound(f"Another company keeps Slack's user group {group}: it is not believed.")
        try:
            told = await self._web.call(workspace.token, "usergroups_users_list", usergroup=subteam, **of_team)
        except SlackRefused as error:
            if error.code in _GONE:
                raise NotFound(f"Slack has no user group {group}.") from error
            raise
        addresses = []
        for user in told.get("users", ()):
            person = (await self._persons.find(workspace, str(user), "")).person
            if person is not None:
                addresses.append(person.email)
        return tuple(addresses)

    async def _workspace(self, home: str) -> Workspace:
        served = await self._workspaces.everywhere()
        found = next((w for w in served if home in (w.team_id, w.enterprise_id)), None)
        if found is None and home.startswith("T"):
            found = await self._workspaces.find(home)
        if found is None:
            raise Unavailable(f"The app is not installed in Slack's workspace {home}.")
        return found
