"""claude_nb: a coding agent in the notebook, and the async engine under it."""

import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from claude_nb.api import *  # noqa: F403
    from claude_nb.conversation import Turn

__version__ = "0.1.0.dev0"

last: "Turn | None" = None
"""The turn that a `%%claude` cell finished last."""


@cache
def _homes() -> dict[str, str]:
    """The module of each public name: `api` is read, not imported, so that one name costs one module."""
    source = Path(__file__).with_name("api.py").read_text(encoding="utf-8")
    imports = re.findall(r"^from (\S+) import (?:\(\s*)?(\w+) as \2\b", source, re.MULTILINE)
    return {name: module for module, name in imports}


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return list(_homes())
    if name not in _homes():
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_homes()[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_homes()})


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext claude_nb`: register `%claude` and `%%claude`."""
    from claude_nb.magics import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """`%unload_ext claude_nb`: take them away again and put back what they replaced."""
    from claude_nb.magics import unload

    unload(shell)
