"""The toolchain account: CodePipeline's pipelines and runs, and the commits that they take."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.errors import CloudError
from bot.services import Services

AT_ONCE = 12
"""Calls of CodePipeline under way at a time; it takes a few dozen a second of an account."""
NOT_PINNED = "NotPinned"
ENDED = ("Succeeded", "Failed", "Stopped", "Superseded", "Cancelled")
_UNKNOWN = ("CommitDoesNotExistException", "InvalidCommitException", "FolderDoesNotExistException")
PINNABLE = {"CodeCommit": "COMMIT_ID", "CodeStarSourceConnection": "COMMIT_ID", "S3": "S3_OBJECT_VERSION_ID"}


@dataclass(frozen=True)
class Source:
    """Where a pipeline's first stage takes what it releases from."""

    action: str
    provider: str
    repository: str
    branch: str

    @property
    def revision_type(self) -> str:
        """What StartPipelineExecution calls a pinned revision of it; empty where none can be pinned."""
        return PINNABLE.get(self.provider, "")

    def as_dict(self) -> dict[str, str]:
        """Return JSON types."""
        return asdict(self)


@dataclass(frozen=True)
class Revision:
    """A commit: what is released. `author` is an address, empty when nobody tells."""

    commit: str
    author: str = ""
    message: str = ""
    found_as: str = ""


class Toolchain:
    """Reads and steers pipelines through the toolchain role, in the toolchain's Region."""

    def __init__(self, services: Services) -> None:
        self._services, self._cloud = services, services.cloud
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._sources: dict[str, Source] = {}
        self._arn = ""

    @property
    def region(self) -> str:
        """The Region that pipelines are in."""
        settings = self._services.settings
        return settings.toolchain_region or settings.aws_region

    async def pipelines(self) -> frozenset[str]:
        """Return the names of all pipelines, a thousand a call. Raises CloudError."""
        pages = self._cloud.pages(
            "codepipeline",
            "ListPipelines",
            "pipelines",
            region=self.region,
            role=self._services.settings.toolchain_role_arn,
            maxResults=1000,
        )
        return frozenset([p["name"] async for p in pages])

    async def tags(self, pipeline: str) -> dict[str, str]:
        """Return a pipeline's tags. Raises CloudError."""
        if not self._arn:
            answer = await self._ask("GetPipeline", name=pipeline)
            self._arn = str(answer["metadata"]["pipelineArn"]).rpartition(":")[0]
        found = await self._ask("ListTagsForResource", resourceArn=f"{self._arn}:{pipeline}", maxResults=100)
        return {tag["key"]: tag["value"] for tag in found.get("tags", ())}

    async def source(self, pipeline: str, *, fresh: bool = False) -> Source | None:
        """Return where a pipeline takes its source from; None when it has no source action. Raises CloudError."""
        if fresh or pipeline not in self._sources:
            stages = (await self._ask("GetPipeline", name=pipeline))["pipeline"]["stages"]
            action = next((a for s in stages for a in s["actions"] if a["actionTypeId"]["category"] == "Source"), None)
            if action is None:
                return None
            config = action.get("configuration", {})
            self._sources[pipeline] = Source(
                action["name"],
                action["actionTypeId"]["provider"],
                config.get("RepositoryName") or config.get("FullRepositoryId") or config.get("S3Bucket", ""),
                config.get("BranchName") or config.get("S3ObjectKey", ""),
            )
        return self._sources[pipeline]

    async def revision(self, source: Source, version: str) -> Revision | None:
        """Return the commit that a version's tag, or its release branch, names; None where there is none."""
        if source.provider != "CodeCommit":
            return None
        for name in (version, f"v{version}", f"release/{version}"):
            try:
                found = await self._git(
                    "GetFolder", repositoryName=source.repository, folderPath="/", commitSpecifier=name
                )
            except CloudError as error:
                if error.code in _UNKNOWN:
                    continue
                raise
            return await self.commit(source, str(found["commitId"]), name)
        return None

    async def commit(self, source: Source, commit: str, found_as: str = "") -> Revision:
        """Return a commit with who wrote it and its words. Raises CloudError."""
        if source.provider != "CodeCommit":
            return Revision(commit, found_as=found_as)
        found = (await self._git("GetCommit", repositoryName=source.repository, commitId=commit))["commit"]
        author = str(found.get("author", {}).get("email", "")).strip().casefold()
        return Revision(commit, author, str(found.get("message", "")).strip(), found_as)

    async def start(self, pipeline: str, token: str, source: Source | None, commit: str) -> str:
        """Start a run of a pinned commit and return its id; the same token never starts a second one.

        A source that can't be pinned is refused: its newest revision would run, which nobody has approved.
        """
        if source is None or not source.revision_type or not commit:
            raise CloudError(NOT_PINNED, "its source can't be pinned to a commit", operation="StartPipelineExecution")
        one = {"actionName": source.action, "revisionType": source.revision_type, "revisionValue": commit}
        answer = await self._ask(
            "StartPipelineExecution", name=pipeline, clientRequestToken=token, sourceRevisions=[one]
        )
        return str(answer["pipelineExecutionId"])

    async def execution(self, pipeline: str, execution: str) -> Mapping[str, Any]:
        """Return one run: status, statusSummary, artifactRevisions. Raises CloudError."""
        answer = await self._ask("GetPipelineExecution", pipelineName=pipeline, pipelineExecutionId=execution)
        found: Mapping[str, Any] = answer["pipelineExecution"]
        return found

    async def executions(self, pipeline: str, most: int = 10) -> Sequence[Mapping[str, Any]]:
        """Return the newest runs of a pipeline, newest first. Raises CloudError."""
        answer = await self._ask("ListPipelineExecutions", pipelineName=pipeline, maxResults=most)
        found: Sequence[Mapping[str, Any]] = answer.get("pipelineExecutionSummaries", ())
        return found

    async def stop(self, pipeline: str, execution: str, reason: str, *, abandon: bool = False) -> None:
        """Have a run stop once what it is doing is done, or at once where that is abandoned. Raises CloudError.

        One that has ended, or is being stopped already, is no trouble.
        """
        try:
            await self._ask(
                "StopPipelineExecution",
                pipelineName=pipeline,
                pipelineExecutionId=execution,
                abandon=abandon,
                reason=reason[:200],
            )
        except CloudError as error:
            if error.code not in ("PipelineExecutionNotStoppableException", "DuplicatedStopRequestException"):
                raise

    async def actions(self, pipeline: str, execution: str) -> list[Mapping[str, Any]]:
        """Return what the actions of a run did, the first of them first. Raises CloudError."""
        answer = await self._ask(
            "ListActionExecutions",
            pipelineName=pipeline,
            filter={"pipelineExecutionId": execution},
            maxResults=100,
        )
        found: list[Mapping[str, Any]] = answer.get("actionExecutionDetails", [])
        return sorted(found, key=lambda a: a["startTime"])

    async def state(self, pipeline: str) -> Mapping[str, Any]:
        """Return how a pipeline's stages and actions stand. Raises CloudError."""
        return await self._ask("GetPipelineState", name=pipeline)

    async def roll_back(self, pipeline: str, stage: str, target: str) -> str:
        """Run a stage anew as a former run left it, and return the run that does so. Raises CloudError."""
        answer = await self._ask(
            "RollbackStage", pipelineName=pipeline, stageName=stage, targetPipelineExecutionId=target
        )
        return str(answer["pipelineExecutionId"])

    async def parent(self, source: Source, commit: str) -> str:
        """Return the first parent of a commit; empty for the first of all. Raises CloudError."""
        found = (await self._git("GetCommit", repositoryName=source.repository, commitId=commit))["commit"]
        return next(iter(found.get("parents", ())), "")

    async def retry_stage(self, pipeline: str, stage: str, execution: str) -> None:
        """Have a failed run go on with the failed actions of a stage. Raises CloudError."""
        await self._ask(
            "RetryStageExecution",
            pipelineName=pipeline,
            stageName=stage,
            pipelineExecutionId=execution,
            retryMode="FAILED_ACTIONS",
        )

    async def answer_approval(
        self, pipeline: str, stage: str, action: str, token: str, approves: bool, words: str
    ) -> None:
        """Answer a pipeline's manual approval action. Raises CloudError."""
        await self._ask(
            "PutApprovalResult",
            pipelineName=pipeline,
            stageName=stage,
            actionName=action,
            token=token,
            result={"summary": words[:512], "status": "Approved" if approves else "Rejected"},
        )

    async def build(self, build_id: str) -> Mapping[str, Any] | None:
        """Return a CodeBuild build, None when it is gone. Raises CloudError."""
        answer = await self._cloud.call(
            "codebuild",
            "BatchGetBuilds",
            region=self.region,
            role=self._services.settings.toolchain_role_arn,
            ids=[build_id],
        )
        found: list[Mapping[str, Any]] = answer.get("builds", [])
        return found[0] if found else None

    async def log_tail(self, group: str, stream: str, lines: int) -> list[str]:
        """Return the last lines of a build's log. Raises CloudError."""
        answer = await self._cloud.call(
            "logs",
            "GetLogEvents",
            region=self.region,
            role=self._services.settings.toolchain_role_arn,
            logGroupName=group,
            logStreamName=stream,
            limit=lines,
            startFromHead=False,
        )
        return [str(e["message"]).rstrip("\n") for e in answer.get("events", ())]

    async def _ask(self, operation: str, **parameters: Any) -> dict[str, Any]:
        role = self._services.settings.toolchain_role_arn
        async with self._turns:
            return await self._cloud.call("codepipeline", operation, region=self.region, role=role, **parameters)

    async def _git(self, operation: str, **parameters: Any) -> dict[str, Any]:
        role = self._services.settings.toolchain_role_arn
        return await self._cloud.call("codecommit", operation, region=self.region, role=role, **parameters)
