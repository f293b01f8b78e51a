"""The place a prompt came from: which cell, on what kind of front end, and how to show something in it.

Layer 3. Below: IPython's display machinery and ipykernel's message session. Above: the magics and the chat, which
choose their face by `Place.kind` and put output into the cell through it.

Main thread: `show` and `update`. Any thread, and also after the cell has ended: `late_update`, which sends the
message itself with the cell as its parent, because by then the main thread may be busy with another cell and what
is displayed there would land in that one (measured on ipykernel 6.29 to 7.4).
"""

from __future__ import annotations

import base64
import contextvars
import enum
import sys
from dataclasses import dataclass, field
from typing import Any

Bundle = dict[str, Any]


class Kind(enum.Enum):
    """Who is at the other end."""

    LAB = "lab"
    """A front end with a person: widgets may be shown, questions asked."""
    TERMINAL = "terminal"
    """A terminal with a person: text only, questions by typing."""
    HEADLESS = "headless"
    """Nobody (nbclient, papermill, a script): one final output, never a question."""


@dataclass(frozen=True)
class Place:
    """Where one cell's output belongs. Made by `detect` when the cell starts.

    `parent` is the execute_request's message (empty without a kernel), `cell_id` the notebook's id for the cell if
    the front end sent one, `context` the context variables to run this cell's later work in.
    """

    kind: Kind
    shell: Any = None
    kernel: Any = None
    parent: dict[str, Any] = field(default_factory=dict)
    cell_id: str | None = None
    context: contextvars.Context = field(default_factory=contextvars.copy_context)

    def show(self, bundle: Bundle, display_id: str | None = None, metadata: Bundle | None = None) -> None:
        """Display a MIME bundle in the running cell. Main thread. Without a kernel its text/plain is printed."""
        if self.kernel is None:
            _print_plain(bundle)
            return
        from IPython.display import display

        present: Any = display  # IPython's is not typed
        present(bundle, raw=True, display_id=display_id, metadata=metadata or {})

    def update(self, bundle: Bundle, display_id: str, metadata: Bundle | None = None) -> None:
        """Replace what was shown under `display_id`. Main thread, while this cell runs.

        A terminal cannot take back what it printed: there the new text follows.
        """
        if self.kernel is None:
            _print_plain(bundle)
            return
        from IPython.display import update_display

        replace: Any = update_display
        replace(bundle, raw=True, display_id=display_id, metadata=metadata or {})

    def late_update(self, bundle: Bundle, display_id: str, metadata: Bundle | None = None) -> None:
        """Replace what was shown under `display_id`, from any thread, whatever the main thread is doing."""
        if self.kernel is None:
            _print_plain(bundle)
            return
        data = {mime: _sendable(value) for mime, value in bundle.items()}
        content = {"data": data, "metadata": metadata or {}, "transient": {"display_id": display_id}}
        kernel = self.kernel
        kernel.session.send(
            kernel.iopub_socket,
            "update_display_data",
            content,
            parent=self.parent,
            ident=self.shell.display_pub.topic,
        )


def detect(shell: Any = None) -> Place:
    """The place of the code that runs now, on the main thread. `shell` is IPython's, None for plain Python."""
    kernel = getattr(shell, "kernel", None)
    if kernel is None:
        return Place(Kind.TERMINAL if _at_a_terminal() else Kind.HEADLESS, shell=shell)
    parent = kernel.get_parent() or {}
    asks = parent.get("content", {}).get("allow_stdin", False)
    return Place(
        Kind.LAB if asks else Kind.HEADLESS,
        shell=shell,
        kernel=kernel,
        parent=parent,
        cell_id=parent.get("metadata", {}).get("cellId"),
    )


def _at_a_terminal() -> bool:
    stdin = sys.stdin
    return stdin is not None and not stdin.closed and stdin.isatty()


def _print_plain(bundle: Bundle) -> None:
    if text := bundle.get("text/plain"):
        print(text, flush=True)


def _sendable(value: Any) -> Any:
    # JSON has no bytes; image data travels as base64 in a MIME bundle.
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
