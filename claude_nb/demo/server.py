"""HTTP for the scripted model: the few paths of the Messages API that the CLI calls.

Below: `answer.py` says what to write and where to wait. Above: `model.py` decides the answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import urlsplit

from .answer import Answer, HangUp, Wait, stream, tokens, whole
from .request import Request

# Events without a delay between them go out together, up to this many bytes: a write for each costs too much.
_BATCH: Final = 32_768


class Server(ThreadingHTTPServer):
    """Listens on 127.0.0.1. `answer` decides what to say, `pause` spends a wait (False: stop writing)."""

    daemon_threads = True
    block_on_close = False  # a stream that waits at a gate must not hold up the end

    def __init__(self, port: int, answer: Callable[[Request], Answer], pause: Callable[[Wait], bool]):
        self.answer, self.pause = answer, pause
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up in mid-answer is an interrupt, not news."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: what came is in the model's `requests`."""

    def do_HEAD(self) -> None:
        """Answer the CLI's warming-up of its connection."""
        self._send(200, b"")

    def do_GET(self) -> None:
        """Say that none of the API's read-only pages is there."""
        self._json(404, {"type": "error", "error": {"type": "not_found_error", "message": "Not scripted."}})

    def do_POST(self) -> None:
        """Answer messages and token counts; anything else gets an empty object."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = urlsplit(self.path).path.rstrip("/")
        if path.endswith("/count_tokens"):
            self._json(200, {"input_tokens": tokens(json.loads(body))})
        elif path.endswith("/v1/messages"):
            self._answer(Request(json.loads(body)))
        else:
            self._json(200, {})

    def _answer(self, request: Request) -> None:
        answer = self.server.answer(request)
        if error := answer.error:
            self._json(error.status, error.body, error.headers)
        elif request.get("stream"):
            self._stream(answer, request)
        else:
            waits = [event for event in stream(answer, request) if isinstance(event, Wait)]
            if all(self.server.pause(wait) for wait in waits):
                self._json(200, whole(answer, request))

    def _stream(self, answer: Answer, request: Request) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("connection", "close")
        self.end_headers()
        pending = bytearray()
        for event in stream(answer, request):
            if isinstance(event, dict):
                pending += f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
                if len(pending) < _BATCH:
                    continue
            self.wfile.write(pending)
            pending.clear()
            if isinstance(event, HangUp) or (isinstance(event, Wait) and not self.server.pause(event)):
                return
        self.wfile.write(pending)

    def _json(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(value).encode(), {"content-type": "application/json", **(headers or {})})

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
