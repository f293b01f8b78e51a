"""A small fake front end: one real kernel, raw ZeroMQ, no browser.

It starts `python -m ipykernel_launcher`, sends what a notebook page would send (execute, comm messages with or
without a subshell, interrupts, typed answers) and collects all the kernel says. Every wait is on a message that
arrives and is bounded; a wait that runs out raises AssertionError with the kernel's own log.

    with Frontend(ipykernel="6.31.0") as page:
        cell = page.execute("print('hi')")
        assert cell.reply()["status"] == "ok"
        assert cell.text == "hi\\n"
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import zmq
from jupyter_client.connect import write_connection_file
from jupyter_client.session import Session

T = TypeVar("T")
Message = dict[str, Any]

REPO = Path(__file__).resolve().parents[2]
OVERLAYS = REPO / ".cache" / "ipykernel"
#: The kernels of the matrix: overlays by version, and `None`, the environment's own (the newest).
VERSIONS: tuple[str | None, ...] = ("6.29.5", "6.31.0", "7.1.0", None)
CHANNELS = ("shell", "control", "stdin", "iopub")
PATIENCE = 60.0
#: After so many seconds without a message the kernel is woken up by a new connection. ipykernel 7.0 to 7.2 may overlook
#: a request that comes while a reply goes out (ipykernel's issue 1554), until somebody else connects.
NUDGE = 5.0


def overlay(version: str) -> Path:
    """Folder that, first on PYTHONPATH, gives the kernel that ipykernel. Says how to make it if it is not there."""
    folder = OVERLAYS / version
    assert (folder / "ipykernel").is_dir(), (
        f"ipykernel {version} is not in {folder.relative_to(REPO)}. Run: {Path(sys.executable).name} -m pip install "
        f"--no-deps --target {folder.relative_to(REPO)} ipykernel=={version}"
    )
    return folder


class Cell:
    """One execute request and all that came of it."""

    def __init__(self, page: Frontend, msg_id: str):
        self.page, self.id = page, msg_id

    def reply(self, timeout: float = PATIENCE) -> dict[str, Any]:
        """Content of the execute_reply, once the cell is idle, so that all its output is here too."""
        return dict(self.page.reply(self.id, timeout)["content"])

    @property
    def answered(self) -> bool:
        """True once the reply is here."""
        return self.page.find_reply(self.id) is not None

    def messages(self, msg_type: str | None = None) -> list[Message]:
        """What the kernel published for this cell, in order."""
        return self.page.published(msg_type, parent=self.id)

    def bundles(self) -> list[dict[str, Any]]:
        """MIME bundles of display_data, in order."""
        return [m["content"]["data"] for m in self.messages("display_data")]

    @property
    def text(self) -> str:
        """All that was printed in the cell."""
        return "".join(m["content"]["text"] for m in self.messages("stream"))

    def wait_text(self, part: str, timeout: float = PATIENCE) -> Cell:
        """Wait until `part` was printed."""
        self.page.wait(lambda: part in self.text, timeout, f"{part!r} in the cell's output")
        return self


class Frontend:
    """A kernel and the page that talks to it. `ipykernel` is an overlay's version, None the installed one."""

    def __init__(self, ipykernel: str | None = None, env: dict[str, str] | None = None, cwd: Path | None = None):
        self._folder = tempfile.TemporaryDirectory(prefix="frontend")
        folder = Path(self._folder.name)
        self._connection, config = write_connection_file(str(folder / "kernel.json"), key=b"frontend")
        path = [str(overlay(ipykernel))] if ipykernel else []
        path += [str(REPO)]
        environment = {
            **os.environ,
            "IPYTHONDIR": str(folder / "ipython"),
            "PYTHONPATH": os.pathsep.join(path),
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            **(env or {}),
        }
        self._log = open(folder / "kernel.log", "w+")  # noqa: SIM115 - closed in close()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ipykernel_launcher", "-f", self._connection],
            env=environment,
            cwd=cwd,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        self.session = Session(key=b"frontend", username="page")
        self._context = zmq.Context()
        self._sockets = {name: self._connect(name, config[f"{name}_port"]) for name in CHANNELS}
        self._shell_port = config["shell_port"]
        self._nudges: list[zmq.Socket[bytes]] = []
        self._outbox: SimpleQueue[tuple[str, Message, Session]] = SimpleQueue()
        self._bell = self._context.socket(zmq.PAIR)
        self._bell.bind("inproc://bell")
        self._ring = self._context.socket(zmq.PAIR)
        self._ring.connect("inproc://bell")
        self._ring_lock = threading.Lock()
        self._changed = threading.Condition()
        self._received: list[tuple[str, Message]] = []
        self._failed: Exception | None = None
        self._inputs_answered = 0
        self._closing = False
        self._thread = threading.Thread(target=self._serve, name="frontend", daemon=True)
        self._thread.start()
        try:
            self._greet()
        except BaseException:
            self.close()
            raise

    def _connect(self, channel: str, port: int) -> zmq.Socket[bytes]:
        socket = self._context.socket(zmq.SUB if channel == "iopub" else zmq.DEALER)
        socket.linger = 0
        if channel == "iopub":
            socket.setsockopt(zmq.RCVHWM, 0)
            socket.setsockopt(zmq.SUBSCRIBE, b"")
        else:
            socket.setsockopt(zmq.IDENTITY, self.session.bsession)  # the kernel asks for input by this name
        socket.connect(f"tcp://127.0.0.1:{port}")
        return socket

    def _greet(self) -> None:
        # The subscription to iopub takes effect some time after connecting: ask until a status arrives by it.
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            asked = self.send("shell", "kernel_info_request", {})
            with contextlib.suppress(AssertionError):
                self.info = self.reply(asked, 2.0)["content"]
                return
            assert self.process.poll() is None, f"the kernel did not start\n{self.log()}"
        raise AssertionError(f"the kernel did not answer\n{self.log()}")

    def __enter__(self) -> Frontend:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # -- sending ---------------------------------------------------------------------------------

    def send(
        self,
        channel: str,
        msg_type: str,
        content: dict[str, Any],
        *,
        subshell_id: str | None = None,
        metadata: dict[str, Any] | None = None,
        parent: Message | None = None,
        signer: Session | None = None,
    ) -> str:
        """Send one message, signed by the page's own session or another; its id comes back."""
        message = self.session.msg(msg_type, content, parent=parent, metadata=metadata)
        if subshell_id is not None:
            message["header"]["subshell_id"] = subshell_id
        self._outbox.put((channel, message, signer or self.session))
        with self._ring_lock:
            self._ring.send(b"")
        return str(message["header"]["msg_id"])

    def execute(
        self,
        code: str,
        *,
        allow_stdin: bool = True,
        stop_on_error: bool = False,
        subshell_id: str | None = None,
        cell_id: str = "cell-1",
    ) -> Cell:
        """Run a cell; returns at once."""
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": allow_stdin,
            "stop_on_error": stop_on_error,
        }
        metadata = {"cellId": cell_id}
        msg_id = self.send("shell", "execute_request", content, subshell_id=subshell_id, metadata=metadata)
        return Cell(self, msg_id)

    def run(self, code: str, timeout: float = PATIENCE, **options: Any) -> Cell:
        """Run a cell to its end, which must be a good one."""
        cell = self.execute(code, **options)
        reply = cell.reply(timeout)
        trace = "\n".join(reply.get("traceback", []))
        assert reply["status"] == "ok", f"{reply.get('ename')}: {reply.get('evalue')}\n{trace}\n{self.log()}"
        return cell

    def comm_msg(self, comm_id: str, content: Any, **options: Any) -> str:
        """Send a widget's custom message, as `model.send(content)` does in the page; `options` are those of `send`."""
        data = {"method": "custom", "content": content}
        return self.send("shell", "comm_msg", {"comm_id": comm_id, "data": data}, **options)

    def create_subshell(self) -> str:
        """Start a subshell (ipykernel >= 7); its id."""
        reply = self.request("create_subshell_request", {}, channel="control")
        return str(reply["content"]["subshell_id"])

    def request(self, msg_type: str, content: dict[str, Any], channel: str = "shell") -> Message:
        """Send a request and wait for its reply."""
        return self.reply(self.send(channel, msg_type, content))

    def interrupt(self) -> None:
        """What the Stop button does: SIGINT to the kernel's process group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def questions(self) -> int:
        """How many times the kernel has asked for a line so far."""
        return sum(channel == "stdin" for channel, _ in list(self._received))

    def forget_questions(self) -> None:
        """Leave the questions so far unanswered; the next `answer_input` is for a later one."""
        self._inputs_answered = self.questions()

    def answer_input(self, text: str, timeout: float = PATIENCE) -> str:
        """Wait for the kernel to ask for a line, type `text`; the prompt comes back."""
        self.wait(lambda: self.questions() > self._inputs_answered, timeout, "a question on the stdin channel")
        request = [m for channel, m in self._received if channel == "stdin"][self._inputs_answered]
        self._inputs_answered += 1
        self.send("stdin", "input_reply", {"value": text}, parent=request)
        return str(request["content"]["prompt"])

    # -- receiving -------------------------------------------------------------------------------

    def wait(self, found: Callable[[], T | None], timeout: float = PATIENCE, what: str = "a message") -> T:
        """First true value of `found()`, looked at after every message."""
        end = time.monotonic() + timeout
        with self._changed:
            while not (result := found()):
                if self._failed is not None:
                    raise AssertionError("this kernel and its page are of no use any more") from self._failed
                left = end - time.monotonic()
                if left <= 0:
                    error = AssertionError(f"waited {timeout:g} s for {what}\n{self.log()}")
                    # Tests that share the kernel would each wait as long for the same thing.
                    self._failed = error if timeout >= PATIENCE else None
                    raise error
                if not self._changed.wait(min(left, NUDGE)):
                    self._nudge()
        return result

    def _nudge(self) -> None:
        socket = self._context.socket(zmq.DEALER)
        socket.linger = 0
        socket.connect(f"tcp://127.0.0.1:{self._shell_port}")
        self._nudges.append(socket)

    def find_reply(self, msg_id: str) -> Message | None:
        """The reply to a request, if it is here."""
        return next(
            (m for channel, m in self._received
             if channel in ("shell", "control") and m["parent_header"].get("msg_id") == msg_id),
            None,
        )  # fmt: skip

    def reply(self, msg_id: str, timeout: float = PATIENCE) -> Message:
        """The reply to a request, once the kernel has said that it is idle again after it."""
        self.wait(lambda: self.find_reply(msg_id) and self.idle(msg_id), timeout, "a reply and idle")
        reply = self.find_reply(msg_id)
        assert reply is not None
        return reply

    def idle(self, msg_id: str) -> bool:
        """True once the kernel said idle after this message."""
        return any(m["content"]["execution_state"] == "idle" for m in self.published("status", parent=msg_id))

    def published(self, msg_type: str | None = None, parent: str | None = None) -> list[Message]:
        """Messages of iopub, by type and by the message they belong to."""
        return [
            m for channel, m in list(self._received)
            if channel == "iopub" and msg_type in (None, m["msg_type"])
            and parent in (None, m["parent_header"].get("msg_id"))
        ]  # fmt: skip

    def log(self) -> str:
        """The end of what the kernel wrote to stdout and stderr."""
        self._log.flush()
        return Path(self._log.name).read_text(errors="replace")[-4000:]

    def _serve(self) -> None:
        try:
            self._exchange()
        except Exception as error:
            with self._changed:
                self._failed = error
                self._changed.notify_all()

    def _exchange(self) -> None:
        poller = zmq.Poller()
        channels = {socket: name for name, socket in self._sockets.items()}
        for socket in (*channels, self._bell):
            poller.register(socket, zmq.POLLIN)
        while not self._closing:
            for socket, _ in poller.poll():
                if socket is self._bell:
                    self._bell.recv()
                    self._send_pending()
                else:
                    self._keep(channels[socket], socket.recv_multipart())

    def _send_pending(self) -> None:
        with contextlib.suppress(Empty):
            while True:
                channel, message, signer = self._outbox.get_nowait()
                signer.send(self._sockets[channel], message)

    def _keep(self, channel: str, frames: list[bytes]) -> None:
        _, parts = self.session.feed_identities(frames)
        message = self.session.deserialize(parts)
        with self._changed:
            self._received.append((channel, message))
            self._changed.notify_all()

    def close(self) -> None:
        """End the kernel and the thread."""
        self._closing = True
        with self._ring_lock:
            self._ring.send(b"")
        self._thread.join(5)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        for socket in (*self._sockets.values(), *self._nudges, self._bell, self._ring):
            socket.close(0)
        self._context.term()
        self._log.close()
        with contextlib.suppress(OSError):
            self._folder.cleanup()
