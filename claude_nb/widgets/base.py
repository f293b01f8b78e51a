"""What all faces share: the anywidget model, the page script and how it reaches the page.

Above: `live` and the faces to come. Below: anywidget (imported late) and the files in `static/`. A widget's state holds
only `boot.js`, a few hundred bytes that fetch the page script once per page (a message each way) and keep it by its
hash; sent with every widget it would be most of what a short answer costs. Everything else travels as custom
messages, never as synchronised traits: those wait for an idle kernel (kernels that are busy with a cell have none).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

VIEW_MIME = "application/vnd.jupyter.widget-view+json"


@cache
def static(name: str) -> str:
    """Text of a built file of the page script (`boot.js`, `live.js`)."""
    return files(__package__).joinpath("static", name).read_text(encoding="utf-8")


@cache
def script_hash() -> str:
    """Names the version of the page script, so that a page never mixes two."""
    return hashlib.sha256(static("live.js").encode()).hexdigest()[:16]


@cache
def _widget_class() -> Any:
    import anywidget
    import traitlets

    class PageWidget(anywidget.AnyWidget):
        """A model without state of its own; its page script is fetched by hash."""

        _esm = static("boot.js")
        script = traitlets.Unicode().tag(sync=True)
        face = traitlets.Unicode().tag(sync=True)
        # No Layout model beside each widget: another comm and 2 kB for a style that is never set.
        layout = traitlets.Any(None, allow_none=True)

        def __repr__(self) -> str:
            # Without an address, so that notebooks compare equal when they are run again.
            return "(running)"

    return PageWidget


class PageModel:
    """One widget of ours: opens its comm when made, sends and receives custom messages.

    `receive` gets each message of the page (a dict with a word under `k`), in whatever thread brought it. `face` tells
    the page script which protocol it speaks: `live` or `rewind`. Make it, and close it, on the kernel's main thread,
    where the output that shows it belongs.
    Raises ImportError if anywidget is not there.
    """

    def __init__(self, receive: Callable[[dict[str, Any]], None], face: str = "live"):
        self._widget = _widget_class()(script=script_hash(), face=face)
        # For front ends and kernels where messages come by the usual way, after the running cell.
        self._widget.on_msg(lambda _widget, content, _buffers: receive(content))

    @property
    def comm_id(self) -> str:
        """Id of the comm, by which messages of the page are told apart."""
        return str(self._widget.comm.comm_id)

    @property
    def open(self) -> bool:
        """Whether the page can still be reached."""
        return self._widget.comm is not None

    def send(self, message: dict[str, Any]) -> None:
        """Send a custom message to all views; dropped once the model is closed."""
        if self.open:
            self._widget.send(message)

    def view_bundle(self) -> dict[str, Any]:
        """MIME bundle that shows the widget, with a plain line for front ends that have no widgets."""
        view = {"version_major": 2, "version_minor": 0, "model_id": self._widget.model_id}
        return {VIEW_MIME: view, "text/plain": "(running)"}

    def close(self) -> None:
        """Close the comm. Call it after the output shows something else."""
        self._widget.close()

    def __repr__(self) -> str:
        return "(running)" if self.open else "(closed)"


def script_message() -> dict[str, Any]:
    """The answer to a page that asks for the script."""
    return {"k": "script", "code": static("live.js")}
