"""The monthly report as a file, for those who may read the record."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic.json_schema import SkipJsonSchema
from starlette.responses import Response

from adapters.rest.callers import Caller
from adapters.rest.fields import Email
from adapters.rest.problems import problems
from adapters.rest.routing import CallerGiven
from bot.errors import Refused
from bot.reporting import monthly_csv
from bot.services import Services

MonthPath = Annotated[
    str, Path(description="The month.", pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", examples=["2026-10"])
]
UserQuery = Annotated[
    Email | SkipJsonSchema[None], Query(description="Who asks; needed with a key, and may read the audit.")
]
_CSV: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "One figure a row."}
}


class Reports:
    """Hands out the monthly report."""

    def __init__(self, services: Services, router: APIRouter) -> None:
        self._services = services
        router.add_api_route(
            "/v1/reports/{month}.csv",
            self.show_report,
            operation_id="show_report",
            methods=["GET"],
            response_class=Response,
            responses={**_CSV, **problems(404, 503)},
            summary="Show a month's report as CSV",
        )

    async def show_report(self, month: MonthPath, caller: CallerGiven, user: UserQuery = None) -> Response:
        """Return the report; it tells of everybody, so that `user` must be allowed to read everybody's audit."""
        await self._admit(caller, user)
        name, text = await monthly_csv(self._services.registry).write_csv(month)
        headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)

    async def _admit(self, caller: Caller, user: str | None) -> None:
        if user is None:
            if caller.key is None:
                return  # the newcomer is alone on the machine
            raise Refused("The report is shown to people only.", next_step="Name who asks: ?user=ana@corp.example")
        caller.speak_for(user)
        self._services.policy.may_audit(await self._services.people.of_email(user)).require()
