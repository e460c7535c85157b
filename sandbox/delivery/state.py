"""All that is kept of deliveries, record by record: a change saves what it changed, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.delivery.agenda import Agenda
from sandbox.delivery.model import Execution, Pipeline, Repository, revive_execution, revive_repository
from sandbox.delivery.queue_model import Message, Queue, Rule
from sandbox.delivery.structures import Structure
from sandbox.delivery.table_model import Table, TableItem
from sandbox.delivery.tool_model import (
    Alias,
    Application,
    Build,
    EcsService,
    Function,
    Project,
    Shift,
    StackLife,
    TaskDefinition,
)
from sandbox.store import Store, UnusableState

PREFIX = "delivery/"
_REVIVED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "structures": Structure,
    "pipelines": lambda document: Pipeline(**document),
    "executions": revive_execution,
    "repositories": revive_repository,
    "queues": lambda document: Queue(**document),
    "messages": lambda document: Message(**document),
    "projects": lambda document: Project(**document),
    "stacks": lambda document: StackLife(**document),
    "applications": lambda document: Application(**document),
    "aliases": lambda document: Alias(**document),
    "functions": lambda document: Function(**document),
    "task_definitions": lambda document: TaskDefinition(**document),
    "services": lambda document: EcsService(**document),
    "shifts": lambda document: Shift(**document),
    "builds": lambda document: Build(**document),
    "rules": lambda document: Rule(**document),
    "tables": lambda document: Table(**document),
    "items": lambda document: TableItem(**document),
}


class Delivery:
    """The records by part and key, what is due when, and what is not saved yet."""

    def __init__(self) -> None:
        self.structures: dict[str, Structure] = {}
        self.pipelines: dict[str, Pipeline] = {}
        self.executions: dict[str, Execution] = {}
        self.repositories: dict[str, Repository] = {}
        self.queues: dict[str, Queue] = {}
        self.messages: dict[str, Message] = {}
        self.rules: dict[str, Rule] = {}
        self.projects: dict[str, Project] = {}
        self.builds: dict[str, Build] = {}
        self.stacks: dict[str, StackLife] = {}
        self.applications: dict[str, Application] = {}
        self.aliases: dict[str, Alias] = {}
        self.functions: dict[str, Function] = {}
        self.task_definitions: dict[str, TaskDefinition] = {}
        self.services: dict[str, EcsService] = {}
        self.shifts: dict[str, Shift] = {}
        self.tables: dict[str, Table] = {}
        self.items: dict[str, TableItem] = {}
        self.shelves: dict[str, Any] = {}
        self.agenda = Agenda()
        self._unsaved: dict[tuple[str, str], None] = {}

    def keep(self, part: str, key: str, record: Any) -> None:
        """Add or replace a record."""
        getattr(self, part)[key] = record
        self.changed(part, key)

    def changed(self, part: str, key: str) -> None:
        """Note that a record differs from what was saved."""
        self._unsaved[part, key] = None

    def drop(self, part: str, key: str) -> None:
        """Remove a record; one that isn't there doesn't matter."""
        if getattr(self, part).pop(key, None) is not None:
            self.changed(part, key)

    def schedule(self, part: str, record: Any, due: float | None) -> None:
        """Set when a record moves by itself; None for not at all."""
        record.due = due
        if due is not None:
            self.agenda.add(due, part, record.id)
        self.changed(part, record.id)

    def share(self, structure: Structure) -> str:
        """Keep a structure once, and return its digest."""
        if structure.digest not in self.structures:
            self.keep("structures", structure.digest, structure)
        return structure.digest

    def pipeline_in(self, account_id: str, region: str, name: str) -> Pipeline | None:
        """A pipeline by where it is and its name."""
        return self.pipelines.get(f"{account_id}/{region}/{name}")

    def queue_by_arn(self, arn: str) -> Queue | None:
        """A queue by its ARN."""
        region, account_id, name = arn.split(":")[3:6]
        return self.queues.get(f"{account_id}/{region}/{name}")

    def structure_of(self, pipeline: Pipeline, version: int = 0) -> Structure:
        """A pipeline's structure in a version, counted from 1; 0 is the current one."""
        return self.structures[pipeline.structures[version - 1]]

    def execution_structure(self, execution: Execution) -> Structure:
        """The structure that an execution runs."""
        return self.structure_of(self.pipelines[execution.pipeline], execution.version)

    def save(self, store: Store) -> None:
        """Save what has changed."""
        if not self._unsaved:
            return
        documents: dict[str, Any] = {}
        for part, key in self._unsaved:
            record = getattr(self, part).get(key)
            documents[f"{PREFIX}{part}/{key}"] = record.declaration if isinstance(record, Structure) else record
        store.save_all(documents)
        self._unsaved.clear()

    @classmethod
    def load(cls, store: Store) -> Delivery | None:
        """What was saved; None if nothing was. UnusableState for what another version saved."""
        documents = store.load_all(PREFIX)
        if not documents:
            return None
        made = cls()
        try:
            for name, document in documents.items():
                part, _, key = name.removeprefix(PREFIX).partition("/")
                record = _REVIVED[part](document)
                getattr(made, part)[key] = record
                due = getattr(record, "due", None)
                if due is not None:
                    made.agenda.add(due, part, key)
        except (TypeError, KeyError) as error:
            raise UnusableState("The state is another version's; remove the file.") from error
        return made
