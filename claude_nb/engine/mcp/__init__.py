"""In-process MCP: Python functions, resources and prompts that the agent can use without another process.

Layer 2. `engine.tool` is the door; the rooms are `schema` (types to JSON Schema), `signature` (a function's own
words), `result` (values to MCP content), `tool`, `server` and `bridge`. The `mcp` package is imported only when a
server is made.
"""
