"""The comm tap: a widget's custom messages reach us while a cell blocks the kernel.

Layer 3. Below: ipykernel's shell stream and its message session. Above: the faces, which register the comm they
listen on, and the pump, which polls where polling is needed.

ipykernel hands a message to its comm only when no cell is running, so a button clicked in a blocked cell would be
heard at the cell's end. The tap puts itself in front of the kernel's own receiver and takes out the `custom`
messages of registered comms; all else passes through unchanged and in order. While a cell of ours waits it also
answers a page that was reloaded (see `rejoin`).

Two kinds of kernel, one code:

* ipykernel 7 reads the shell socket in its "Shell channel" thread: messages arrive there at once.
* ipykernel 6 reads it on the main thread's loop, which the cell blocks: `poll()` on the main thread reads what came.

None of this is public API of ipykernel, so `Tap.install` tests for each thing it leans on and returns None where one
is missing; the caller then asks by `input()`. Seen working on 6.29.5, 6.31.0, 7.1.0 and 7.4.0, with and without
subshells: what a front end writes into `subshell_id` is not looked at.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from claude_nb.kernel.rejoin import OnMain, answer_for

Handler = Callable[[dict[str, Any]], None]

log = logging.getLogger(__name__)

#: How long the kernel's Shell channel thread may take to change its receiver, in seconds. It only reads and sends.
SWITCH_TIMEOUT = 5.0
#: What the tap leans on, beside the kernel's shell stream, session and iopub socket.
KERNEL_NEEDS = ("_topic", "get_parent", "shell_handlers")
STREAM_NEEDS = ("on_recv", "flush", "io_loop", "_recv_callback", "_recv_copy")
SESSION_NEEDS = ("feed_identities", "unpack", "deserialize", "send")
# Position of the two parts of a message after its identities: signature, header, parent, metadata, content.
HEADER, CONTENT = 1, 4

_installed: weakref.WeakKeyDictionary[Any, Tap] = weakref.WeakKeyDictionary()


class Tap:
    """Takes custom messages of registered comms off a kernel's shell channel. Make one with `Tap.install`."""

    def __init__(self, kernel: Any):
        self.kernel = kernel
        self._stream = kernel.shell_stream
        self._handlers: dict[str, Handler] = {}
        self._on_main: OnMain | None = None
        self._cell: dict[str, Any] = {}
        self._cell_lock = threading.Lock()
        self._replaced: tuple[Callable[[Any], Any], bool] | None = None

    @classmethod
    def install(cls, kernel: Any) -> Tap | None:
        """Put a tap on `kernel`, or give back the one it has. Call it on the main thread.

        None if this kernel lacks what the tap leans on, or would not change its receiver.
        """
        if kernel is None or not _fits(kernel):
            return None
        tap = _installed.get(kernel)
        if tap is None:
            tap = cls(kernel)
            if not tap._on_stream_thread(tap._switch_on):
                return None
            _installed[kernel] = tap
        return tap

    @property
    def needs_poll(self) -> bool:
        """True if messages only arrive when `poll()` is called (ipykernel 6)."""
        return getattr(self.kernel, "shell_channel_thread", None) is None

    def register(self, comm_id: str, handler: Handler) -> None:
        """Call `handler(content)` for each custom message of this comm, from now on.

        Register before the widget is displayed, or its first message may go the slow way. The handler runs in the
        thread that reads the socket, so it may only hand over to another one; what it raises is logged.
        """
        self._handlers[comm_id] = handler

    def unregister(self, comm_id: str) -> None:
        """Forget this comm; its messages go to the kernel again."""
        self._handlers.pop(comm_id, None)

    def poll(self) -> None:
        """Read what has arrived, without waiting. Main thread; does nothing where a thread reads already."""
        if self.needs_poll:
            self._stream.flush()

    @contextlib.contextmanager
    def blocked(self, on_main: OnMain) -> Iterator[None]:
        """While a cell blocks the kernel: answer for it what can be answered (see `rejoin`).

        Main thread. `on_main(job)` is called in the thread that reads the socket and has to get `job()` called on
        the main thread.
        """
        outer = self._on_main, self._cell
        self._on_main, self._cell = on_main, self.kernel.get_parent()
        try:
            yield
        finally:
            with self._cell_lock:
                self._on_main, self._cell = outer

    def uninstall(self) -> None:
        """Give the kernel its own receiver back. May be called twice."""
        self._handlers.clear()
        if _installed.pop(self.kernel, None) is self:
            self._on_stream_thread(self._switch_off)

    def _switch_on(self) -> None:
        self._replaced = (self._stream._recv_callback, self._stream._recv_copy)
        self._stream.on_recv(self._receive, copy=False)

    def _switch_off(self) -> None:
        # If somebody put another receiver in front of ours, it stays: without handlers we let everything through.
        if self._replaced is not None and self._stream._recv_callback == self._receive:
            receive, copy = self._replaced
            self._stream.on_recv(receive, copy=copy)

    def _on_stream_thread(self, switch: Callable[[], None]) -> bool:
        if self.needs_poll or threading.current_thread() is self.kernel.shell_channel_thread:
            switch()
            return True
        done = threading.Event()

        def switch_there() -> None:
            switch()
            done.set()

        self._stream.io_loop.add_callback(switch_there)
        return done.wait(SWITCH_TIMEOUT)

    def _receive(self, frames: list[Any]) -> Any:
        # What the replaced receiver returns (a coroutine on ipykernel 7) belongs to the stream, which awaits it.
        assert self._replaced is not None
        return None if self._take(frames) else self._replaced[0](frames)

    def _take(self, frames: list[Any]) -> bool:
        """True if the message was for us and has been handled."""
        on_main = self._on_main
        if not self._handlers and on_main is None:
            return False
        session = self.kernel.session
        try:
            idents, parts = session.feed_identities(frames, copy=False)
            # Peek first: a whole deserialize remembers the signature, and the kernel's own would then refuse it.
            header, content = (session.unpack(parts[part].bytes) for part in (HEADER, CONTENT))
            handle = self._handling({"header": header, "content": content}, idents, on_main)
            if handle is None:
                return False
            message = session.deserialize(parts, content=True, copy=False)  # checks the signature
        except Exception:
            return False  # not a message we understand: the kernel's receiver says what is wrong with it
        # Front ends hold back further messages of a widget until they saw the kernel idle after this one.
        self._publish("busy", message)
        try:
            handle(message)
        except Exception:
            log.exception("Handling a %s while the kernel was blocked failed", header["msg_type"])
        finally:
            self._publish("idle", message)
            with self._cell_lock:  # so that this cannot come after the idle of the cell's own end
                if self._cell:
                    self._publish("busy", self._cell)  # the page's indicator shows the last word, and we still are
        return True

    def _handling(
        self, peeked: dict[str, Any], idents: list[bytes], on_main: OnMain | None
    ) -> Callable[[dict[str, Any]], object] | None:
        """What to do with a message, None if the kernel shall have it."""
        content = peeked["content"]
        if peeked["header"]["msg_type"] == "comm_msg" and (handler := self._handlers.get(content["comm_id"])):
            if content["data"].get("method") != "custom":
                return None
            return lambda message: handler(message["content"]["data"].get("content") or {})
        if on_main is None:
            return None
        answer = answer_for(self.kernel, peeked)
        return None if answer is None else lambda message: answer(message, self._stream, idents, on_main)

    def _publish(self, state: str, parent: dict[str, Any]) -> None:
        self.kernel.session.send(
            self.kernel.iopub_socket,
            "status",
            {"execution_state": state},
            parent=parent,
            ident=self.kernel._topic("status"),
        )


def _fits(kernel: Any) -> bool:
    stream, session = getattr(kernel, "shell_stream", None), getattr(kernel, "session", None)
    return (
        getattr(kernel, "iopub_socket", None) is not None
        and all(hasattr(kernel, name) for name in KERNEL_NEEDS)
        and all(hasattr(stream, name) for name in STREAM_NEEDS)
        and callable(getattr(stream, "_recv_callback", None))
        and all(hasattr(session, name) for name in SESSION_NEEDS)
    )
