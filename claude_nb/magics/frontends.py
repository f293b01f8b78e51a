"""What is known of each front end: whether it draws our widgets, and what it was told already.

Layer 5, below `asking` and `rewind`, which share one memory. A front end is known by its session at the kernel. What
was learnt is never final: one that did not draw a widget in time is still waited for a little, and may.
"""

from __future__ import annotations

from claude_nb.kernel.cell import Place
from claude_nb.magics.stages import READY_SECONDS

#: How long one is waited for that drew nothing the last time, in seconds.
DOUBTFUL_SECONDS = 0.5


class FrontEnds:
    """One memory per notebook; for any thread."""

    def __init__(self) -> None:
        self._without_widgets: set[str] = set()
        self._told: set[tuple[str, str]] = set()

    def patience(self, place: Place) -> float:
        """For how many seconds a front end may take to draw a widget."""
        return DOUBTFUL_SECONDS if _name(place) in self._without_widgets else READY_SECONDS

    def learn(self, place: Place, drew: bool) -> None:
        """Whether it has drawn one in time."""
        (self._without_widgets.discard if drew else self._without_widgets.add)(_name(place))

    def once(self, place: Place, sentence: str) -> str:
        """The sentence the first time this front end is to be told it, then nothing."""
        told = (_name(place), sentence)
        if told in self._told:
            return ""
        self._told.add(told)
        return sentence


def _name(place: Place) -> str:
    return str(place.parent.get("header", {}).get("session", ""))
