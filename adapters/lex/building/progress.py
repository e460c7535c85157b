"""Shows how far a deployment is: a bar in a terminal, a line for each step elsewhere."""

from __future__ import annotations

from typing import TextIO

WIDTH = 28


class ProgressBar:
    """Draws on a stream; in a terminal the bar stays on one line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._is_terminal = stream, stream.isatty()
        self._steps, self._done, self._is_drawn = 0, 0, False

    def begin(self, steps: int) -> None:
        """So many steps are to be made from here on."""
        self._steps, self._done = self._done + steps, self._done

    def step(self, words: str) -> None:
        """One step begins."""
        self._done += 1
        self._steps = max(self._steps, self._done)
        share = (self._done - 1) / self._steps
        count = f"{self._done}/{self._steps}"
        if self._is_terminal:
            filled = round(WIDTH * share)
            self._stream.write(f"\r\x1b[2K[{'█' * filled}{'·' * (WIDTH - filled)}] {count} {words[:60]}")
            self._is_drawn = True
        else:
            self._stream.write(f"{count} {words}\n")
        self._stream.flush()

    def end(self) -> None:
        """Leave the line."""
        if self._is_drawn:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()
            self._is_drawn = False
