"""claude_nb: a coding agent in the notebook, and the async engine under it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from claude_nb.api import *  # noqa: F403
    from claude_nb.conversation import Turn

__version__ = "0.1.0.dev0"

last: "Turn | None" = None
"""The turn that a `%%claude` cell finished last."""


def __getattr__(name: str) -> Any:
    # Not `from claude_nb import api`: that would ask here for `api` first.
    api = import_module("claude_nb.api")
    if name == "__all__":
        return [public for public in vars(api) if not public.startswith("_")]
    try:
        return vars(api)[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None


def __dir__() -> list[str]:
    return sorted({*globals(), *__getattr__("__all__")})


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext claude_nb`: register `%claude` and `%%claude`."""
    from claude_nb.magics import load

    load(shell)


def unload_ipython_extension(shell: Any) -> None:
    """`%unload_ext claude_nb`: take them away again and put back what they replaced."""
    from claude_nb.magics import unload

    unload(shell)
