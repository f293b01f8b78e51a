"""What a session costs, turn by turn, from the running totals of its CLI.

Layer 2. Above: `session`, `named` (budgets). Below: transcripts. The CLI's total is cumulative and goes on across a
resume from what its last process wrote down at its end, so a process that was killed leaves a gap: the total that a
new one begins with is read from the transcript too. Measured on CLI 2.1.329. Amounts are US dollars.
"""

from __future__ import annotations

from pathlib import Path

from claude_nb.protocol.message import ConversationResetMessage, Message, ResultMessage
from claude_nb.sessions.transcript import parse_line

_COST_STATE = b'"type":"cost-state"'


class Meter:
    """`spent_usd` since the process began, of which `turn_usd` for the last turn; `carried_usd` came before."""

    def __init__(self, carried_usd: float = 0.0):
        self.spent_usd = self.turn_usd = 0.0
        self._total = carried_usd

    def heard(self, message: Message) -> None:
        """A message came; results tell the total, and a cleared conversation begins at zero."""
        if isinstance(message, ConversationResetMessage):
            self._total = 0.0
        elif isinstance(message, ResultMessage) and message.total_cost_usd is not None:
            self.turn_usd = max(0.0, message.total_cost_usd - self._total)
            self.spent_usd += self.turn_usd
            self._total = message.total_cost_usd


def carried_usd(transcript: Path | None) -> float:
    """The total with which a CLI begins that resumes this transcript."""
    if transcript is None:
        return 0.0
    data = transcript.read_bytes()
    start = data.rfind(_COST_STATE)  # inside a text the quotes would be escaped
    entry = parse_line(data[data.rfind(b"\n", 0, start) + 1 :].split(b"\n", 1)[0]) if start >= 0 else None
    total = (entry or {}).get("totalCostUSD")
    return float(total) if isinstance(total, int | float) else 0.0
