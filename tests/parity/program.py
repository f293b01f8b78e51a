"""What the example programs have in common."""

from collections.abc import AsyncIterator
from typing import Any

import anyio

from claude_nb import AssistantMessage, ClaudeSDKClient, Message, ResultMessage, TextBlock, ToolUseBlock

# What an MCP server outside this process answers; it has one tool.
_ANSWER = """
import json, sys
TOOL = {"name": "double", "inputSchema": {"type": "object", "properties": {"n": {"type": "integer"}}}}
def answer(asked):
    params = asked.get("params") or {}
    answers = {
        "initialize": lambda: {
            "protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "outside", "version": "1"},
        },
        "tools/list": lambda: {"tools": [TOOL]},
        "tools/call": lambda: {"content": [{"type": "text", "text": str(2 * params["arguments"]["n"])}]},
    }
    if asked["method"] in answers:
        return json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": answers[asked["method"]]()})
"""
SERVER = f"""{_ANSWER}
for line in sys.stdin:
    if said := answer(json.loads(line)):
        print(said, flush=True)
"""
# The same at an address, which it prints: by the transport `http`, or `sse`.
WEB_SERVER = f"""{_ANSWER}
import queue
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
SSE, said = sys.argv[1] == "sse", queue.Queue()
class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args): pass
    def reply(self, status, kind="text/plain", body=b""):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        if not SSE:
            return self.reply(405)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        said.put(("endpoint", "/say"))
        while True:
            self.wfile.write("event: %s\\ndata: %s\\n\\n".__mod__(said.get()).encode())
    def do_POST(self):
        if self.headers["Authorization"] != "Bearer open":
            return self.reply(403)
        text = answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        if SSE and text:
            said.put(("message", text))
        self.reply(*((202,) if SSE or not text else (200, "application/json", text.encode())))
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print("http://127.0.0.1:%d/" % server.server_port, flush=True)
server.serve_forever()
"""

PATIENCE = 60.0  # seconds: far more than any program here needs


async def collect(stream: AsyncIterator[Message]) -> list[Message]:
    """All messages of a query or a response."""
    with anyio.fail_after(PATIENCE):
        return [message async for message in stream]


async def ask(client: ClaudeSDKClient, prompt: Any, **fields: Any) -> str | None:
    """One prompt to a client, and the text of its result."""
    await client.query(prompt, **fields)
    return result_of(await collect(client.receive_response())).result


async def first(stream: AsyncIterator[Message], kind: type, **fields: Any) -> Any:
    """The first message of that kind (with those fields); the stream can be read on."""
    with anyio.fail_after(PATIENCE):
        async for message in stream:
            if isinstance(message, kind) and all(getattr(message, name) == value for name, value in fields.items()):
                return message
    raise AssertionError(f"no {kind.__name__} came")


def blocks(messages: list[Message], kind: type) -> list[Any]:
    """The blocks of that kind that the model made."""
    return [b for m in messages if isinstance(m, AssistantMessage) for b in m.content if isinstance(b, kind)]


def text_of(messages: list[Message]) -> str:
    return "".join(block.text for block in blocks(messages, TextBlock))


def tools_of(messages: list[Message]) -> list[str]:
    return [block.name for block in blocks(messages, ToolUseBlock)]


def result_of(messages: list[Message]) -> ResultMessage:
    assert isinstance(messages[-1], ResultMessage)
    return messages[-1]


async def connected(client: ClaudeSDKClient, name: str) -> None:
    """Wait until the CLI has that server."""
    with anyio.fail_after(30):
        while True:
            servers = (await client.get_mcp_status())["mcpServers"]
            if any(server["name"] == name and server["status"] == "connected" for server in servers):
                return
            await anyio.lowlevel.checkpoint()
