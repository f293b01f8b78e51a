"""An MCP server on stdio that asks the person something in the middle of a tool call; by hand, without any package."""

import json
import sys

SCHEMA = {
    "type": "object",
    "properties": {"item": {"type": "string", "title": "Item"}, "count": {"type": "integer", "minimum": 1}},
    "required": ["item"],
}


def send(message: dict) -> None:
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def result(request: dict) -> dict | None:
    match request.get("method"):
        case "initialize":
            version = request["params"]["protocolVersion"]
            return {
                "protocolVersion": version,
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "shop", "version": "1"},
            }
        case "tools/list":
            return {"tools": [{"name": "order", "description": "Order", "inputSchema": {"type": "object"}}]}
        case "tools/call":
            params = {"message": "What do you want?", "requestedSchema": SCHEMA}
            send({"id": "ask-1", "method": "elicitation/create", "params": params})
            answer = json.loads(sys.stdin.readline())
            return {"content": [{"type": "text", "text": json.dumps(answer.get("result"))}]}
        case "ping":
            return {}
    return None


for line in sys.stdin:
    asked = json.loads(line)
    answered = result(asked) if "id" in asked else None
    if answered is not None:
        send({"id": asked["id"], "result": answered})
    elif "id" in asked:
        send({"id": asked["id"], "error": {"code": -32601, "message": "Method not found"}})
