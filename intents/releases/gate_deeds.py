"""What is done about the gates between waves: tried again, skipped, passed all at once; and a wave left out whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bot.activity import Person
from bot.database import Transaction
from bot.errors import Conflict, Invalid
from bot.people import shown
from bot.releases.rollouts import Rollout
from bot.requests import RequestRecord
from intents.releases.deeds import Deeds, Unchanged, too_late
from intents.releases.experiment_gates import TRY, name_of, next_try, went_well
from intents.releases.planning import gate_words

NOT_KEPT = "gates_not_kept"
"""The note of which gates were skipped or passed: [number of the wave before them, from 0; sentence with the name]."""
AT_GATES = ("running", "paused", "gate")


class GateDeeds(Deeds):
    """What of the brake is about gates. Twice is like once: a gate that is tried or skipped already is told as such."""

    async def retry(self, record: RequestRecord, by: Person, surface: str) -> str:
        """Look at a gate that failed once more, and bake anew. Raises Refused, and Conflict when it is too late."""
        self._may_steer(by, record, surface)

        async def work(transaction: Transaction, rollout: Rollout) -> str:
            if rollout.phase not in AT_GATES:
                raise too_late(record, rollout)
            where = f"before wave {rollout.wave + 2} of request {record.id}"
            if rollout.phase == "gate":
                return Unchanged(f"The gates {where} are being looked at already.")
            if not rollout.is_shut:
                return Unchanged(f"Nothing of request {record.id} has failed, so nothing is tried again.")
            now = self._services.clock.now().isoformat()
            tried = next_try((await self._current(transaction, record)).notes, rollout.wave)
            skipped = _skipped(rollout)
            gates = {"since": now, "wave": rollout.wave, "skipped": skipped, TRY: tried}
            await self._rollouts.move(transaction, record.id, ("paused",), "gate", reason="", gates=gates)
            await self._services.requests.move(transaction, record.id, ("paused",), "running")
            bakes = any(kind == "bake" for kind, _ in rollout.due_gates)
            runs = any(kind == "experiment" and [kind, value] not in skipped for kind, value in rollout.due_gates)
            anew = [*(["it bakes"] if bakes else []), *(["its experiment runs"] if runs else [])]
            return f"The gates {where} are tried again" + (f"; {' and '.join(anew)} anew." if anew else ".")

        return await self._do(record, by, surface, "gate_retried", work, "gate")

    async def skip(self, record: RequestRecord, by: Person, surface: str) -> str:
        """Pass the gate that failed, once, and look at the others still; where none has failed, pass all that wait.

        Raises Refused, and Conflict when the roll-out is at no gate.
        """
        self._may_steer(by, record, surface)

        async def work(transaction: Transaction, rollout: Rollout) -> str:
            where = f"before wave {rollout.wave + 2} of request {record.id}"
            if rollout.is_shut:
                return await self._skip_failed(transaction, record, rollout, by, where)
            if rollout.phase == "gate" and not _skipped(rollout):
                words = "; ".join(gate_words(*gate) for gate in rollout.due_gates)
                await self._note(transaction, record, rollout.wave, f"{where}: {words}; passed by {shown(by)}")
                await self._rollouts.move(transaction, record.id, ("gate",), "running", **_at(rollout.wave + 1))
                return f"The gates {where} are skipped."
            if rollout.phase == "gate":
                return Unchanged(f"The gate {where} that failed was skipped already; {rollout.reason or 'one waits'}.")
            skipped = (await self._current(transaction, record)).notes.get(NOT_KEPT, ())
            if any(wave == rollout.wave - 1 for wave, _ in skipped):
                return Unchanged(f"The gate before wave {rollout.wave + 1} of request {record.id} was skipped already.")
            if rollout.phase not in AT_GATES:
                raise too_late(record, rollout)
            raise Conflict(f"Request {record.id} stands at no gate now, so none is skipped.")

        return await self._do(record, by, surface, "gate_skipped", work, "running")

    async def _skip_failed(
        self, transaction: Transaction, record: RequestRecord, rollout: Rollout, by: Person, where: str
    ) -> str:
        failed, skipped = _gates(rollout.gates["failed"]), _gates(_skipped(rollout))
        await self._note(transaction, record, rollout.wave, f"{where}: {rollout.reason}; skipped by {shown(by)}")
        gates = {n: v for n, v in rollout.gates.items() if n not in ("failed", "looked")}
        gates["skipped"] = [list(gate) for gate in (*skipped, *failed)]
        if await self._was_cut_short(transaction, record, rollout, {*skipped, *failed}):
            gates[TRY] = next_try((await self._current(transaction, record)).notes, rollout.wave)
        await self._rollouts.move(transaction, record.id, ("paused",), "gate", reason="", gates=gates)
        await self._services.requests.move(transaction, record.id, ("paused",), "running")
        others = [gate_words(*gate) for gate in rollout.due_gates if gate not in (*skipped, *failed)]
        still = f" What is looked at still: {'; '.join(others)}." if others else ""
        return f"The gate {where} ({rollout.reason}) is skipped, and the roll-out goes on.{still}"

    async def _was_cut_short(
        self, transaction: Transaction, record: RequestRecord, rollout: Rollout, skipped: set[tuple[str, str]]
    ) -> bool:
        """Tell whether an experiment was stopped since another gate failed, so that it has to run once more."""
        notes = (await self._current(transaction, record)).notes
        for number, gate in enumerate(rollout.due_gates):
            begun = notes.get(name_of(rollout, number)) if gate[0] == "experiment" and gate not in skipped else None
            child = await self._services.requests.read(transaction.connection, str(begun)) if begun else None
            if child is not None and not went_well(child):
                return True
        return False

    async def note_passed(self, transaction: Transaction, record: RequestRecord, rollout: Rollout, by: Person) -> None:
        """Note that somebody has the roll-out go on though a gate failed."""
        where = f"before wave {rollout.wave + 2} of request {record.id}"
        await self._note(transaction, record, rollout.wave, f"{where}: {rollout.reason}; passed by {shown(by)}")

    async def skip_wave(self, record: RequestRecord, number: int | None, by: Person, surface: str) -> str:
        """Leave out what still waits of a wave (from 1), or of the next one; at a gate that failed, go on behind it.

        The gates are looked at once more before the wave after it. Raises Refused, Invalid (there is no such wave)
        and Conflict (all of it has begun).
        """
        self._may_steer(by, record, surface)

        async def work(transaction: Transaction, rollout: Rollout) -> str:
            if rollout.phase not in AT_GATES:
                raise too_late(record, rollout)
            count, wave = len(rollout.waves), rollout.wave + 1 if number is None else number - 1
            if not 0 <= wave < count:
                raise Invalid(f"Request {record.id} has no wave {wave + 1}.", next_step=f"Say 1 to {count}.")
            name = f"Wave {wave + 1} of request {record.id} ({rollout.waves[wave]['name']})"
            gone = await self._rollouts.change_all(transaction, record.id, ("waiting",), "skipped", only_wave=wave)
            if not gone:
                states = (await self._rollouts.counts(record.id)).get(wave, {})
                if set(states) == {"skipped"}:
                    return Unchanged(f"{name} is left out already.")
                raise Conflict(f"{name} can't be left out: nothing of it waits any more.")
            said = f"{name} is left out: {gone} deployment{'' if gone == 1 else 's'}."
            if rollout.is_shut and wave == rollout.wave + 1:
                await self._rollouts.move(transaction, record.id, ("paused",), "running", **_at(wave))
                await self._services.requests.move(transaction, record.id, ("paused",), "running")
                said += (
                    f" Its gates are looked at anew before wave {wave + 2}."
                    if wave + 1 < count
                    else " It was the last."
                )
            return said

        return await self._do(record, by, surface, "wave_skipped", work, "", wave=number or 0)

    async def _note(self, transaction: Transaction, record: RequestRecord, wave: int, sentence: str) -> None:
        kept = (await self._current(transaction, record)).notes.get(NOT_KEPT, [])
        await self._services.requests.note(transaction, record.id, **{NOT_KEPT: [*kept, [wave, sentence]]})

    async def _current(self, transaction: Transaction, record: RequestRecord) -> RequestRecord:
        return await self._services.requests.read(transaction.connection, record.id) or record


def _at(wave: int) -> dict[str, Any]:
    """Return the columns of a roll-out that begins a wave."""
    return {"wave": wave, "forgiven": 0, "reason": "", "gates": {}}


def _skipped(rollout: Rollout) -> list[list[str]]:
    return list(rollout.gates.get("skipped", ()))


def _gates(kept: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    return [(kind, value) for kind, value in kept]
