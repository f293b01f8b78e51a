"""The types, where the official Python SDK has them: `from claude_nb.types import HookInput`.

Every public name is found here as in `claude_nb` itself, and costs as little: each comes from its own module when it
is first asked for.
"""

from typing import TYPE_CHECKING, Any

import claude_nb

if TYPE_CHECKING:
    from claude_nb.api import *  # noqa: F403


def __getattr__(name: str) -> Any:
    if name != "__all__" and name not in claude_nb.__all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(claude_nb, name)


def __dir__() -> list[str]:
    return sorted(claude_nb.__all__)
