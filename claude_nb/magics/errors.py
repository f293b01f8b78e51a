"""How an error of a turn looks in a cell: what happened and what to do, without the way it came.

IPython asks an exception for `_render_traceback_` before it draws its own; the full traceback stays on the
exception for `%debug` and `except`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from claude_nb.errors import ClaudeSDKError

E = TypeVar("E", bound=BaseException)


def _lines(name: str, message: str) -> list[str]:
    return [f"{name}: {message}"]


def short(error: E) -> E:
    """The same error, to be shown as its name and message alone."""
    if isinstance(error, (ClaudeSDKError, KeyboardInterrupt)):
        # A partial of a module's function, because the error must still pickle.
        error._render_traceback_ = partial(_lines, type(error).__name__, str(error))  # type: ignore[union-attr]
    return error


@contextmanager
def briefly() -> Iterator[None]:
    """What goes wrong inside is shown without the way it came."""
    try:
        yield
    except (ClaudeSDKError, KeyboardInterrupt) as error:
        raise short(error)  # noqa: B904 - it is the same error
