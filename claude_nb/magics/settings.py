"""Settings of the magics that do not take what makes no sense, and say so when it is set, not in a later turn.

Layer 5, below the magics. Below: traitlets. A value that is refused is no error: IPython keeps it in the shell's own
configuration, and the extension could not be loaded again.
"""

from __future__ import annotations

import logging
from typing import Any

from traitlets import Float, TraitType

logger = logging.getLogger(__name__)


class Policy(TraitType[Any, Any]):
    """Who decides when nobody can be asked; a dotted name is looked up only when it is needed."""

    info_text = "'deny', 'allow', a function or its dotted name (module.function)"

    def validate(self, obj: Any, value: Any) -> Any:
        """The value, or the one before it."""
        if callable(value) or value in ("allow", "deny") or (isinstance(value, str) and "." in value):
            return value
        return _before(self, obj, value)


class Dollars(Float[float, Any]):
    """An amount above 0, or None."""

    info_text = "an amount in US dollars above 0, or None for no limit"

    def validate(self, obj: Any, value: Any) -> Any:
        """The amount, or the one before it."""
        good = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
        return float(value) if good else _before(self, obj, value)


def _before(trait: TraitType[Any, Any], obj: Any, value: Any) -> Any:
    kept = trait.get(obj)
    logger.error("%s is %s, not %r; it stays %r.", trait.name, trait.info_text, value, kept)
    return kept
