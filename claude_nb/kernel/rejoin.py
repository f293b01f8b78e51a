"""A page that is reloaded in mid-cell gets its live widgets back: answers for it while the kernel is blocked.

Layer 3. Below: ipykernel's own handlers, and the comms that ipywidgets has opened. Above: the tap, which shows us
each message of the shell channel while a cell of ours waits.

After a reload JupyterLab asks who the kernel is (`kernel_info_request`), opens the control comm of the widgets and
asks there for the state of them all (`request_states`); other front ends list the comms (`comm_info_request`). All
four go to the shell channel, where they would wait for the cell's end, and the page says "Loading widget..." until
then. None of them runs user code or depends on the running cell, so they are answered at once, by the kernel's own
handlers. Seen with JupyterLab 4.6.6. The output that shows a widget comes back only if the notebook was saved after the
cell began; its model comes back in any case, and the page script then shows an open question over the page.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Message = dict[str, Any]
OnMain = Callable[[Callable[[], object]], object]

#: Requests that a blocked kernel can answer; `comm_open` only for the widgets' control comm.
REQUESTS = frozenset({"kernel_info_request", "comm_info_request", "comm_open"})
CONTROL = "jupyter.widget.control"


def answer_for(kernel: Any, peeked: Message) -> Callable[[Message, Any, Any, OnMain], object] | None:
    """What to do about a message while the kernel is blocked, or None if it has to wait for the cell's end.

    `peeked` needs its header and content only. The answer is called as `answer(message, stream, idents, on_main)`
    in the thread that owns `stream`; `on_main(job)` has to get `job()` called on the main thread.
    """
    kind, content = peeked["header"]["msg_type"], peeked["content"]
    if kind == "comm_msg":
        told = _control_comm(kernel, content.get("comm_id"))
        return None if told is None else lambda message, stream, idents, on_main: on_main(lambda: told(message))
    if kind not in REQUESTS or (kind == "comm_open" and content.get("target_name") != CONTROL):
        return None
    handler = kernel.shell_handlers[kind]
    return lambda message, stream, idents, on_main: _drive(handler(stream, idents, message))


def _control_comm(kernel: Any, comm_id: Any) -> Callable[[Message], object] | None:
    # Its callback is called as such: `handle_msg` would also fire the shell's events of a cell that begins and ends.
    comm = getattr(getattr(kernel, "comm_manager", None), "comms", {}).get(comm_id)
    return getattr(comm, "_msg_callback", None) if getattr(comm, "target_name", None) == CONTROL else None


def _drive(result: Any) -> None:
    """Run one of the kernel's coroutine handlers, which never wait for anything, to its end."""
    if hasattr(result, "send"):
        try:
            result.send(None)
        except StopIteration:
            return
        result.close()
        raise RuntimeError("a handler of the kernel waits for something")
