"""The facts under a finished turn, as text.

Above: `html`, `terminal`, `bundle`. Below: `conversation`, `text`.
"""

from __future__ import annotations

from claude_nb.conversation.model import Turn

from .text import dollars, plural, seconds, tokens

_STATES = {"failed": "failed", "interrupted": "interrupted", "cancelled": "cancelled"}


def footer_parts(turn: Turn, *, show_cost: bool = True) -> tuple[str, list[str]]:
    """How the turn ended if not well (else empty), and its facts in order; what is not known is left out.

    Facts: duration, tokens, cost in US dollars, API rounds, model, session.
    """
    facts: list[str] = []
    if turn.duration is not None:
        facts.append(seconds(turn.duration))
    usage = turn.usage
    if usage.total_input_tokens or usage.output_tokens:
        cached = f" ({tokens(usage.cache_read_input_tokens)} cached)" if usage.cache_read_input_tokens else ""
        facts.append(f"{tokens(usage.total_input_tokens)} in{cached} / {tokens(usage.output_tokens)} out")
    if show_cost and turn.cost_usd is not None:
        facts.append(dollars(turn.cost_usd))
    if turn.num_turns > 1:
        facts.append(plural(turn.num_turns, "turn"))
    if turn.model:
        facts.append(turn.model)
    if turn.session_id:
        name = "" if turn.session_name in ("", "default") else f"{turn.session_name} "
        facts.append(f"session {name}{turn.session_id[:8]}")
    return _STATES.get(turn.status, ""), facts
