"""The JSON of experiments: a run as it is asked for and as it stands, and its report."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from adapters.rest.fields import Reason
from adapters.rest.shapes import User
from bot.requests import STATES


class RunCall(BaseModel):
    """An experiment to run, on behalf of a person."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    user: User
    template: Annotated[
        str,
        Field(pattern=r"^EXT[0-9A-Za-z]{1,61}$", description="The id of the template.", examples=["EXT1a2b3c4d5e6f7"]),
    ]
    expectation: Annotated[Reason, Field(description="What should stay true while it runs.")] = ""
    minutes: Annotated[
        int, Field(ge=0, le=720, description="Stop it after so many minutes; 0: as its template says.")
    ] = 0


class ReportFact(BaseModel):
    """One row of a report."""

    name: str = Field(examples=["Verdict"])
    value: str


class AlarmChange(BaseModel):
    """An alarm's change of state."""

    at: str
    state: str = Field(examples=["ALARM"])


class MetricPoint(BaseModel):
    """A metric's value over a minute."""

    at: str
    value: float


class MetricMeans(BaseModel):
    """Means around the run; null where there are no values."""

    before: float | None
    during: float | None
    after: float | None


class AlarmReport(BaseModel):
    """What an alarm of the stop conditions did from the start on, and its metric from 15 minutes before."""

    name: str
    metric: str
    resource: str
    threshold: float | None
    begin: str
    end: str
    changes: list[AlarmChange]
    means: MetricMeans
    points: list[MetricPoint]


class ReportView(BaseModel):
    """What a run did, as it can be told now."""

    id: str = Field(examples=["qm-7k3m9qxa"])
    title: str
    text: str
    status: str
    verdict: str
    facts: list[ReportFact]
    alarms: list[AlarmReport]


class RunProgress(BaseModel):
    """One line of how far a run is."""

    mark: str = Field(examples=["running"])
    name: str = Field(examples=["StopInstances"])
    sentence: str = Field(examples=["running"])


class RunView(BaseModel):
    """One run; `experiment`, `status` and `verdict` are empty until there are any."""

    id: str = Field(examples=["qm-7k3m9qxa"])
    state: str = Field(json_schema_extra={"enum": list(STATES)})
    template: str
    name: str
    experiment: str
    status: str = Field(description="As FIS says it: completed, stopped, failed or cancelled, once it has ended.")
    verdict: str
    text: str = Field(description="What came of it.")
    progress: list[RunProgress]
