"""A scripted Messages API on loopback: the real CLI runs against it without a key or the internet.

Below: `request.py` reads what the CLI asks, `answer.py` words what is said, `server.py` speaks HTTP.
Above: the demo's tour, `claude_nb.testing`, and every test that wants the real CLI.

    with ScriptedModel() as model:
        model.reply(Thinking("hm"), Text("Reading."), ToolUse("Read", {"file_path": "/tmp/a"}))
        model.reply(Text("It says hello."))
        env = model.env(folder)          # give this to the CLI

Answers are taken from the queue, one for each call of the conversation's main loop; then `model.script`
is asked, then `echo`. The CLI's side calls (titles, summaries, token counts) never touch the queue.
"""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from .answer import Answer, ApiError, Gate, Part, Text, Thinking, ToolUse, Wait
from .request import Kind, Request
from .server import Server

Script = Callable[[Request], "Sequence[Part] | Answer | None"]

# A gate that nobody opens must not hold a thread for ever.
GATE_TIMEOUT: Final = 120.0

_SIDE_ANSWERS: Final[dict[Kind, str]] = {
    "title": '{"title": "Scripted session"}',
    "topic": '{"isNewTopic": false, "title": null}',
    "side_question": "A scripted model answers here; it has nothing to say on the side.",
    "compact": "<analysis>Nothing was left out.</analysis>\n<summary>A conversation with a scripted model.</summary>",
    "summary": "A page, read by a scripted model.",
    "suggestion": "",
    "probe": "ok",
}


class ScriptedModel:
    """A thread with an HTTP server on an ephemeral port of 127.0.0.1 that speaks the Messages API.

    `requests` holds the calls of the conversation (main loop and sub-agents) as they came, `side_requests`
    the rest; `script` is a function of the request that answers when nothing is queued. Answers are signed with
    `name`, or with the name of the model that the CLI asked for.
    """

    def __init__(self, script: Script | None = None, *, name: str | None = None, port: int = 0):
        self.script, self.name = script, name
        self.requests: list[Request] = []
        self.side_requests: list[Request] = []
        self._queues: dict[Kind, deque[Answer]] = {"main": deque(), "agent": deque()}
        self._errors: dict[tuple[Any, ...], Answer] = {}
        self._gates: list[Gate] = []
        self._news = threading.Condition()
        self._closing = threading.Event()
        self._server = Server(port, self.answer, self.pause)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="scripted-model", daemon=True
        )

    def __enter__(self) -> ScriptedModel:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def close(self) -> None:
        """Stop serving; opens every gate, ends every stream, waits at most five seconds for the thread."""
        self._closing.set()
        for gate in self._gates:
            gate.open()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(5)
        self._server.server_close()

    @property
    def url(self) -> str:
        """The base URL, for ANTHROPIC_BASE_URL."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def reply(
        self,
        *parts: Part,
        usage: dict[str, Any] | None = None,
        stop_reason: str | None = None,
        agent: bool = False,
    ) -> None:
        """Queue the answer to the next call of the main loop, or of a sub-agent with `agent=True`."""
        with self._news:
            self._queues["agent" if agent else "main"].append(Answer(parts, usage, stop_reason))

    def gate(self) -> Gate:
        """A gate to put between the parts of an answer; closing the model opens it."""
        gate = Gate()
        self._gates.append(gate)
        return gate

    @property
    def queued(self) -> int:
        """Answers that no call has taken yet."""
        with self._news:
            return sum(len(queue) for queue in self._queues.values())

    def wait_for_requests(self, count: int, timeout: float = 30.0) -> list[Request]:
        """Wait until `count` calls of the conversation have come; TimeoutError after `timeout` seconds."""
        with self._news:
            if not self._news.wait_for(lambda: len(self.requests) >= count, timeout):
                raise TimeoutError(f"{len(self.requests)} of {count} requests came within {timeout} s")
            return list(self.requests)

    def env(self, folder: str | Path) -> dict[str, str]:
        """Environment that points the CLI here, with home and configuration in `folder`.

        Meant to be laid over an inherited environment: names that would lead the CLI elsewhere are emptied.
        """
        home = Path(folder) / "home"
        config = home / ".claude"
        config.mkdir(parents=True, exist_ok=True)
        return {
            "ANTHROPIC_BASE_URL": self.url,
            "ANTHROPIC_API_KEY": "sk-ant-made-up-for-the-scripted-model",
            "HOME": str(home),
            "USERPROFILE": str(home),
            "CLAUDE_CONFIG_DIR": str(config),
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            **dict.fromkeys(ELSEWHERE, ""),
        }

    def answer(self, request: Request) -> Answer:
        """Decide what to say to `request`, and remember it. Called by the server, one thread per call."""
        answer = self._decide(request)
        return replace(answer, model=self.name) if self.name and answer.model is None else answer

    def _decide(self, request: Request) -> Answer:
        if request.kind not in self._queues:
            self._remember(self.side_requests, request)
            return Answer([Text(_SIDE_ANSWERS[request.kind])])
        queued = self._queued(request)
        self._remember(self.requests, request)
        if queued is not None:
            return queued
        try:
            said = self.script(request) if self.script else None
        except Exception as error:
            return Answer([ApiError(500, "api_error", f"The script failed: {error!r}")])
        if said is None:
            said = echo(request)
        return said if isinstance(said, Answer) else Answer(said)

    def pause(self, wait: Wait) -> bool:
        """Spend a wait of a stream; False when the stream should end because the model closes."""
        if wait.gate is not None:
            wait.gate.wait(GATE_TIMEOUT)
            return not self._closing.is_set()
        return not self._closing.wait(wait.seconds)

    def _queued(self, request: Request) -> Answer | None:
        with self._news:
            if lasting := self._errors.get(request.place):
                return lasting
            queue = self._queues[request.kind]
            answer = queue.popleft() if queue else None
            if answer and answer.error and answer.error.lasts:
                self._errors[request.place] = answer
            return answer

    def _remember(self, where: list[Request], request: Request) -> None:
        with self._news:
            where.append(request)
            self._news.notify_all()


# Names that would send the CLI to another service or account than the one asked for.
ELSEWHERE: Final = (
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_CUSTOM_HEADERS",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_VERTEX",
)


def echo(request: Request) -> Sequence[Part]:
    """The default script: `USETOOL {"name": .., "input": ..}` calls tools, results and prompts are echoed."""
    if request.results:
        said = "; ".join(result.text for result in request.results)
        return [Text(f"Done. The tool said: {said[:300]}")]
    calls = [json.JSONDecoder().raw_decode(request.prompt, m.end())[0] for m in _USETOOL.finditer(request.prompt)]
    if calls:
        tools = [ToolUse(call["name"], call.get("input", {})) for call in calls]
        return [Thinking("I should use a tool."), Text("Using the tool."), *tools]
    return [Text(f"Echo: {request.prompt[-200:]}")]


_USETOOL = re.compile(r"USETOOL\s*(?=\{)")
