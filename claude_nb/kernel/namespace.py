"""The user's variables: which there are, and what they look like in a line each.

Layer 3, pure. Below: `values`. Above: the chat, which can offer this list to the model and to `@name` completion.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping, Sized
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from claude_nb.kernel.values import is_array

#: What IPython itself puts into the namespace.
IPYTHONS = frozenset({"In", "Out", "exit", "quit", "open", "get_ipython", "display"})


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable: its name, the name of its type, and its shape, length or signature (empty if it has none)."""

    name: str
    type: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.type}{' ' + self.detail if self.detail else ''}"


def describe(namespace: Mapping[str, Any], hidden: Collection[str] = ()) -> list[Variable]:
    """The user's variables in the order they were made; modules, `_names`, IPython's own and `hidden` left out.

    `namespace` is IPython's `user_ns`, `hidden` its `user_ns_hidden`. Values are not printed, only measured.
    """
    return [
        Variable(name, type(value).__name__, _detail(value))
        for name, value in list(namespace.items())
        if not name.startswith("_")
        and name not in IPYTHONS
        and name not in hidden
        and not isinstance(value, ModuleType)
    ]


def _detail(value: Any) -> str:
    try:
        if inspect.isclass(value):
            return ""
        if inspect.isroutine(value):
            return str(inspect.signature(value))
        shape = getattr(value, "shape", None)
        if isinstance(shape, tuple) and shape:
            return f"{shape} {value.dtype}" if is_array(value) else str(shape)
        return f"({len(value)})" if isinstance(value, Sized) else ""
    except Exception:
        return ""  # a value that cannot be measured is still listed
