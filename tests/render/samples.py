"""Turns for tests of everything that draws: one of each kind, and one that is hostile throughout."""

from __future__ import annotations

import base64
import struct
import zlib
from typing import Any

from claude_nb.conversation.model import Notice, Question, Text, Thinking, Tool, Turn, Usage
from claude_nb.errors import ResultError

ROOT = "/home/ada/project"
START = 1_700_000_000.0

ANSWER = r"""## What I found

The loader read the whole file into memory. It now streams, which keeps memory **flat**:

| rows | before | after |
|-----:|-------:|------:|
| 10⁴ | 12 MB | 3 MB |
| 10⁶ | 1.2 GB | 3 MB |

```python
from pathlib import Path

def rows(path: Path, size: int = 1 << 16):
    \"\"\"Yield the lines of a file, one at a time.\"\"\"
    with path.open() as file:  # closed even if the caller stops early
        for number, line in enumerate(file, start=1):
            yield number, line.rstrip("\n")
```

1. `rows()` is a generator, so `list(rows(p))` still works.
2. The cost is $O(n)$ in time and $O(1)$ in memory:
   $$\sum_{i=1}^{n} c_i \le n \cdot \max_i c_i$$

- [x] tests pass
- [ ] update the [documentation](https://docs.python.org/3/library/io.html)

> It costs about $5 and saves $60 a month.
""".replace('\\"', '"')


def _png(width: int = 180, height: int = 60) -> str:
    """A small gradient, base64."""
    rows = b"".join(
        b"\0" + bytes(v for x in range(width) for v in (60 + x // 2, 90 + 2 * y, 200)) for y in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return base64.b64encode(png).decode()


PICTURE = _png()


def _tool(key: str, name: str, input: dict[str, Any], result: Any = None, **more: Any) -> Tool:
    at = START + len(key)
    return Tool(
        key=key,
        id=f"toolu_{key}",
        name=name,
        input=input,
        input_done=True,
        result=result,
        **{"status": "done", "started": at, "ended": at + 0.4, **more},
    )


def bash(key: str = "bash") -> Tool:
    out = "src/app.py\nsrc/load.py\n\x1b[32mtests/test_load.py\x1b[0m"
    return _tool(
        key,
        "Bash",
        {"command": "git ls-files | head -3", "description": "List tracked files"},
        out,
        detail={"stdout": out, "stderr": "", "interrupted": False},
    )


def long_bash() -> Tool:
    out = "\n".join(f"tests/test_load.py::test_row_{n} PASSED" for n in range(60))
    return _tool("pytest", "Bash", {"command": "pytest -q", "description": "Run the tests"}, out)


def failed_bash() -> Tool:
    text = "Exit code 2\nls: cannot access 'nowhere': No such file or directory"
    return _tool("ls", "Bash", {"command": "ls nowhere"}, text, status="failed")


def read() -> Tool:
    content = "import csv\n\n\ndef load(path):\n    return list(csv.reader(open(path)))\n"
    numbered = "\n".join(f"{n:6}→{line}" for n, line in enumerate(content.splitlines(), 1))
    detail = {"type": "text", "file": {"filePath": f"{ROOT}/src/load.py", "content": content, "numLines": 5}}
    return _tool("read", "Read", {"file_path": f"{ROOT}/src/load.py"}, numbered, detail=detail)


def edit() -> Tool:
    lines = [" import csv", " ", "-def load(path):", "-    return list(csv.reader(open(path)))"]
    lines += ["+def load(path):", "+    with open(path) as file:", "+        yield from csv.reader(file)"]
    hunk = {"oldStart": 1, "oldLines": 4, "newStart": 1, "newLines": 5, "lines": lines}
    return _tool(
        "edit",
        "Edit",
        {"file_path": f"{ROOT}/src/load.py", "old_string": "def load", "new_string": "def load"},
        "The file has been updated.",
        detail={"filePath": f"{ROOT}/src/load.py", "structuredPatch": [hunk]},
    )


def write() -> Tool:
    content = "".join(f"line {n}\n" for n in range(1, 31))
    return _tool("write", "Write", {"file_path": f"{ROOT}/notes.txt", "content": content}, "File created.")


def todo() -> Tool:
    todos = [
        {"content": "Find the slow part", "status": "completed"},
        {"content": "Stream the rows", "status": "in_progress", "activeForm": "Streaming the rows"},
        {"content": "Measure again", "status": "pending"},
    ]
    return _tool("todo", "TodoWrite", {"todos": todos}, "Todos have been modified successfully.")


def mcp() -> Tool:
    return _tool("mcp", "mcp__notebook__describe", {"name": "df", "rows": 5}, '{"shape": [150, 4], "nulls": 0}')


def picture() -> Tool:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}}
    return _tool("plot", "mcp__notebook__plot", {"column": "age"}, [{"type": "text", "text": "1 figure"}, image])


def agent() -> list[Any]:
    task = _tool(
        "agent",
        "Task",
        {"description": "Look for other readers", "prompt": "Find **all** CSV readers.", "subagent_type": "Explore"},
        "Two more places read CSV files: `a.py` and `b.py`.",
        detail={"totalToolUseCount": 1},
    )
    grep = _tool(
        "grep",
        "Grep",
        {"pattern": "csv.reader", "path": f"{ROOT}/src", "output_mode": "content"},
        "src/a.py:3: csv.reader(f)\nsrc/b.py:9: csv.reader(f)",
        detail={"numLines": 2},
        parent="agent",
    )
    said = Text(key="said", parent="agent", text="Two files match.", started=START, ended=START + 1)
    return [task, grep, said]


def rich_turn() -> Turn:
    """One of everything that goes well, and one failed call."""
    allowed = Question(
        key="q1",
        id="secret",
        kind="permission",
        tool="edit",
        ask={"tool_name": "Edit"},
        status="answered",
        decision={"behavior": "allow"},
    )
    thought = "The file is read **twice**. Let me see `load`.\n\n- first in `load`\n- then in `check`"
    return Turn(
        id="turn-1",
        prompt="Why is the loader slow?",
        session_id="abc12345-0000-4000-8000-000000000000",
        model="claude-sonnet-4-5",
        status="done",
        started=START,
        ended=START + 12.3,
        usage=Usage(1200, 1234, 38_100, 5900),
        cost_usd=0.0842,
        num_turns=3,
        blocks=[
            Thinking(key="think", text=thought, started=START, ended=START + 3.2),
            Text(key="intro", text="I'll look at the loader first.", started=START, ended=START + 1),
            read(),
            bash(),
            Notice(key="retry", text="The API is busy; trying again (2 of 10)", level="warning", code="api_retry"),
            *agent(),
            todo(),
            edit(),
            allowed,
            write(),
            failed_bash(),
            long_bash(),
            mcp(),
            picture(),
            Text(key="answer", text=ANSWER, started=START, ended=START + 12),
        ],
    )


def failed_turn() -> Turn:
    """A turn that the API refused."""
    return Turn(
        id="turn-2",
        status="failed",
        started=START,
        ended=START + 0.4,
        blocks=[Text(key="t", text="I was about to\n\n```python\nprint(1", started=START, ended=START + 0.4)],
        error=ResultError("API Error: 400 prompt is <too> long"),
    )


def interrupted_turn() -> Turn:
    """A turn stopped by the person, with a call in mid-air."""
    call = _tool("sleep", "Bash", {"command": "sleep 100"}, status="cancelled")
    text = Text(key="t", text="Waiting for the", started=START, ended=START + 2)
    return Turn(id="turn-3", status="interrupted", started=START, ended=START + 2, blocks=[call, text])


def running_turn() -> Turn:
    """A turn in mid-stream: open thinking, a half-written input, open text."""
    half = Tool(key="w", id="toolu_w", name="Write", input_json='{"file_path": "/home/ada/project/a.py", "content": "x')
    half.started = START
    return Turn(
        id="turn-4",
        status="running",
        started=START,
        activity="Writing a.py",
        blocks=[Thinking(key="th", text="Hm", started=START), half, Text(key="t", text="Some **op", started=START)],
    )


# Each must come out as text, in whatever place it stands.
ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    '"><img src=x onerror=alert(1)>',
    "'\"><script>alert(1)</script>",
    "</code></pre></details><script>alert(1)</script>",
    "<style>*{display:none}</style>",
    '<div style="position:fixed;inset:0" id="x" data-commandlinker-command="a:b">x</div>',
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<math><mtext></table><img src=x onerror=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&colon;alert(1))",
    "[x](\x01javascript:alert(1))",
    "[x](java\\script:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](vbscript:msgbox(1))",
    '[x](https://e.vil/"onmouseover=alert(1))',
    '[x](https://e.vil "t\\" onmouseover=alert(1)")',
    "[x][r]\n\n[r]: javascript:alert(1)",
    "[r]\n\n[r]:\njavascript:alert(1)",
    "<javascript:alert(1)>",
    "<https://e.vil/onclick=alert(1)/>",
    "![x](https://e.vil/pixel.png)",
    '![x](x"onerror=alert(1))',
    "![x](data:image/svg+xml;base64,PHN2Zz4=)",
    "``<img src=x onerror=alert(1)>`",
    "`<img src=x onerror=alert(1)>``",
    "```<img src=x onerror=alert(1)>\n<img src=x onerror=alert(1)>\n```",
    '~~~"><script>\n</code></pre><script>alert(1)</script>\n~~~',
    "    <img src=x onerror=alert(1)>",
    "> <img src=x onerror=alert(1)>",
    "- a\n\n  <img src=x onerror=alert(1)>\n\n      <script>alert(1)</script>",
    "> ```html\n> <script>alert(1)</script>\n> ```",
    "1. ~~~\n   <script>alert(1)</script>\n\n<script>alert(1)</script>",
    "| <img src=x onerror=alert(1)> |\n|---|\n| `<script>` \\| <script>alert(1)</script> |",
    "\\<img src=x onerror=alert(1)>",
    "\\\\<img src=x onerror=alert(1)>",
    "&lt;img src=x onerror=alert(1)&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    "$\\href{javascript:alert(1)}{x}$",
    "$$\n\\href{javascript:alert(1)}{x}\n$$",
    "\\(\\style{position:fixed}{x}\\)",
    "$<img src=x onerror=alert(1)>$",
    "$$\n<img src=x onerror=alert(1)>\n$$",
    "\ud800<img src=x onerror=alert(1)>",
    "<<https://a.b>script>alert(1)</script>",
]


def hostile_turn(attack: str) -> Turn:
    """A turn with the attack in every string that a model, a tool or a server can choose."""
    names = ["Bash", "Read", "Edit", "Grep", "WebFetch", "TodoWrite", "Task", "ExitPlanMode", "AskUserQuestion"]
    hostile: dict[str, Any] = {
        attack: attack,
        "todos": [{"content": attack, "status": attack}, attack],
        "questions": [{"header": attack, "question": attack}],
        "edits": [{"old_string": attack, "new_string": attack}],
    }
    keys = (
        "command description file_path pattern path url query prompt plan old_string new_string content subagent_type"
    )
    hostile |= dict.fromkeys(keys.split(), attack)
    calls = [
        _tool(f"t{n}", name, hostile, attack) for n, name in enumerate([*names, attack, f"mcp__{attack}__{attack}"])
    ]
    image = {"type": "image", "source": {"media_type": attack, "data": attack}}
    calls.append(_tool("img", "x", {}, [{"type": "text", "text": attack}, image]))
    calls.append(_tool("err", "Bash", hostile, attack, status="failed", error=attack))
    patch = {"structuredPatch": [{"newStart": attack, "lines": ["+" + attack, attack]}]}
    calls.append(_tool("patch", "Edit", hostile, attack, detail=patch))
    calls.append(Tool(key="half", id="h", name="Write", input_json='{"file_path": "' + attack, parent="t0"))
    decisions = [
        {"behavior": "deny", "message": attack, "by": attack},
        {"behavior": "allow", "answers": {attack: attack}},
    ]
    asked = [
        Question(key=f"q{n}", id="i", kind="choice" if n else "permission", status="answered", decision=d)
        for n, d in enumerate(decisions)
    ]
    return Turn(
        id=attack,
        prompt=attack,
        notices=[attack],
        session_id=attack,
        session_name=attack,
        model=attack,
        status="failed",
        activity=attack,
        error=ResultError(attack),
        num_turns=2,
        started=START,
        ended=START + 1,
        blocks=[
            Text(key="a", text=attack, ended=1.0),
            Text(key="b", text=f"words {attack} words\n\n{attack}", ended=1.0),
            Thinking(key="c", text=attack, ended=1.0),
            Notice(key="d", text=attack, level="error"),
            *calls,
            *asked,
        ],
    )
