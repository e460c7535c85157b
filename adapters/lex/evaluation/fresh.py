"""How long a fresh process takes to understand, and how much memory that is; run as a module it is that process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_STARTS = 3


def start_afresh(definition: Mapping[str, Any], texts: Sequence[str]) -> tuple[float, float]:
    """Seconds from a process's start until the engine is ready, the median of three; and MB it has then in addition.

    What the engine learns is kept before, as it is from a product's second start on.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "definition.json"
        file.write_text(json.dumps({"definition": definition, "texts": list(texts)}), "utf-8")
        seconds, memory = [], 0.0
        for number in range(_STARTS + 1):
            begun = time.time()
            ran = subprocess.run(
                [sys.executable, "-m", __name__, str(file), str(Path(folder) / "kept")],
                stdout=subprocess.PIPE,
                check=True,
                env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
            )
            ready, memory = json.loads(ran.stdout)
            if number:
                seconds.append(ready - begun)
    return sorted(seconds)[_STARTS // 2], memory


def _resident() -> float:
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _main() -> None:
    given = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    before = _resident()
    from adapters.lex.engine import Engine

    engine = Engine(given["definition"], Path(sys.argv[2]))
    ready = time.time()
    for number, text in enumerate(given["texts"]):
        engine.recognize_text(session_id=f"text-{number}", text=text[:1_024])
    print(json.dumps([ready, _resident() - before]))


if __name__ == "__main__":
    _main()
