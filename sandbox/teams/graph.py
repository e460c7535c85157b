"""Microsoft Graph beside the fake Bot Framework: who is in a group."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from aiohttp import web

from sandbox.teams.tenants import Tenant


def members_route(tenants: Mapping[str, Tenant]) -> web.RouteDef:
    """Return the route that lists a group's members."""
    return web.get("/graph/v1.0/groups/{group}/transitiveMembers", partial(_answer_members, tenants))


async def _answer_members(tenants: Mapping[str, Tenant], request: web.Request) -> web.Response:
    """Answer as Microsoft Graph does, two members a page."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    tenant = next((t for t in tenants.values() if token in t.graph_tokens), None)
    if tenant is None:
        return refused(401, "InvalidAuthenticationToken")
    if tenant.answers:
        return refused(tenant.answers.pop(0)[0], "Refused")
    if request.match_info["group"] not in tenant.groups:
        return refused(404, "Request_ResourceNotFound")
    listed, begin = tenant.groups[request.match_info["group"]], int(request.query.get("$skiptoken", 0))
    following = str(request.url.update_query({"$skiptoken": begin + 2}))
    more = {"@odata.nextLink": following} if begin + 2 < len(listed) else {}
    return web.json_response({"value": listed[begin : begin + 2], **more})


def refused(status: int, code: str, headers: dict[str, str] | None = None) -> web.Response:
    """Refuse as Microsoft's services do, with a code."""
    return web.json_response({"error": {"code": code}}, status=status, headers=headers)
