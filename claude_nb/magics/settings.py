"""Settings of the magics that refuse what makes no sense when it is set, in a line, instead of in a later turn.

Layer 5, below the magics. Below: traitlets.
"""

from __future__ import annotations

from typing import Any

from traitlets import Float, TraitError, TraitType


class Policy(TraitType[Any, Any]):
    """Who decides when nobody can be asked; a dotted name is looked up only when it is needed."""

    info_text = "'deny', 'allow', a function or its dotted name (module.function)"

    def validate(self, obj: Any, value: Any) -> Any:
        """The value itself; raises TraitError."""
        if callable(value) or value in ("allow", "deny") or (isinstance(value, str) and "." in value):
            return value
        raise TraitError(f"{self.name} is {self.info_text}, not {value!r}")


class Dollars(Float[float, Any]):
    """An amount above 0, or None."""

    def validate(self, obj: Any, value: Any) -> float:
        """The amount; raises TraitError."""
        amount = super().validate(obj, value)
        if amount > 0:
            return amount
        raise TraitError(f"{self.name} is an amount in US dollars above 0, or None for no limit, not {value!r}")
