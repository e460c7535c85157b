"""``python -m bot.charts.worker``: draws what it is asked for on its standard input until that ends.

Questions and answers are a length of four bytes, big-endian, and so many bytes. A question is JSON, see `question_of`;
an answer begins with "+" before the picture, or "-" before what was wrong.
"""

from __future__ import annotations

import json
import struct
import sys
from datetime import datetime
from typing import Any, BinaryIO

from bot.insights import Anomaly, Comparison

LENGTH = struct.Struct(">I")


def question_of(anomaly: Anomaly, kind: str) -> bytes:
    """Return the question for a picture; `anomaly_of` reads it back."""
    return json.dumps(
        {
            "kind": kind,
            "metric": anomaly.metric,
            "resource": anomaly.resource,
            "unit": anomaly.unit,
            "statistic": anomaly.statistic,
            "points": [(at.isoformat(), value) for at, value in anomaly.points],
            "start": anomaly.start.isoformat(),
            "end": anomaly.end.isoformat() if anomaly.end else None,
            "limit": anomaly.limit,
            "prediction": anomaly.prediction.isoformat() if anomaly.prediction else None,
            "band": [(at.isoformat(), low, high) for at, low, high in anomaly.band],
            "shaded": anomaly.shaded,
            "comparisons": [(c.label, c.usually, c.now) for c in anomaly.comparisons],
        }
    ).encode()


def anomaly_of(asked: dict[str, Any]) -> Anomaly:
    """Return what a question is about."""
    return Anomaly(
        metric=asked["metric"],
        resource=asked["resource"],
        unit=asked["unit"],
        statistic=asked["statistic"],
        points=tuple((datetime.fromisoformat(at), float(value)) for at, value in asked["points"]),
        start=datetime.fromisoformat(asked["start"]),
        end=datetime.fromisoformat(asked["end"]) if asked["end"] else None,
        limit=asked["limit"],
        prediction=datetime.fromisoformat(asked["prediction"]) if asked["prediction"] else None,
        band=tuple((datetime.fromisoformat(at), float(low), float(high)) for at, low, high in asked["band"]),
        shaded=asked["shaded"],
        comparisons=tuple(
            Comparison(label, float(usually), float(now)) for label, usually, now in asked["comparisons"]
        ),
    )


def serve(questions: BinaryIO, answers: BinaryIO) -> None:
    """Answer until the questions end."""
    from bot.charts import png, svg

    kinds = {"png": png.draw, "svg": svg.draw}
    while len(head := questions.read(LENGTH.size)) == LENGTH.size:
        asked = json.loads(questions.read(LENGTH.unpack(head)[0]))
        try:
            answer = b"+" + kinds[asked["kind"]](anomaly_of(asked))
        except Exception as error:  # one picture that can't be drawn must not keep the next from it
            answer = b"-" + repr(error).encode()
        answers.write(LENGTH.pack(len(answer)) + answer)
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
