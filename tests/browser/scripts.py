"""What the cells under test play: scripts for stage.play."""

from __future__ import annotations

from tests.browser.stage import Actor, Script, passed

PART_ONE = "## Part one\n\nWith *some* `code`"
PART_TWO = " and an end.\n\n## Part two\n\n- a\n- b\n"


def two_parts(port: int) -> Script:
    """An answer that waits in its middle until the gate opens."""

    async def script(actor: Actor) -> None:
        actor.act("Writing")
        text = actor.text("b1")
        actor.grow(text, [PART_ONE])
        await passed(port)
        await actor.stream(text, PART_TWO)

    return script


def until_stopped() -> Script:
    """An answer that goes on until somebody stops it."""

    async def script(actor: Actor) -> None:
        actor.act("Writing")
        actor.grow(actor.text("b1"), ["So far."])
        await actor.stopped.wait()

    return script


def burst(port: int, count: int) -> Script:
    """`count` numbered words, all at once, then the gate."""

    async def script(actor: Actor) -> None:
        text = actor.text("b1")
        actor.grow(text, (f"w{number} " for number in range(count)))
        actor.act("Waiting")
        await passed(port)

    return script


def steady(port: int, text: str, size: int = 20, rate: float = 100) -> Script:
    """`text` at an even pace, then the gate."""

    async def script(actor: Actor) -> None:
        await actor.stream(actor.text("b1"), text, size, rate)
        actor.act("Waiting")
        await passed(port)

    return script


def tool_waits(port: int) -> Script:
    """A tool call with a result too long to be shown open, that is answered when the gate opens; a second gate."""

    async def script(actor: Actor) -> None:
        tool = actor.start(actor.call("b1", "Bash"), command="seq 3", description="Count")
        await passed(port)
        actor.answer(tool, "1\n2\n3")
        actor.act("Waiting")
        await actor.stopped.wait()

    return script


ARTICLE = """\
Here is what I found. The loader reads **every** file twice, which is why `load()` is slow:

1. `scan()` opens each file to *count* its lines
2. `read()` opens it again

| file | before | after |
|:-----|-------:|------:|
| `loader.py` | 1.93 s | 0.97 s |
| `cache.py`  | 0.41 s | 0.40 s |

```python
def load(paths: list[Path]) -> dict[str, str]:
    \"\"\"Read each file once.\"\"\"
    return {path.name: path.read_text() for path in paths if path.suffix == ".py"}  # was: scan() first
```

> The cost of a scan is $O(n)$, so the whole is $2n$ instead of $n$.

See the [documentation](https://docs.python.org/3/library/pathlib.html) for `read_text`.
"""
EDIT = {
    "file_path": "/home/me/project/loader.py",
    "old_string": "    total = scan(paths)\n    return {p.name: read(p) for p in paths}\n",
    "new_string": "    return {p.name: p.read_text() for p in paths}\n",
}


def gallery(port: int) -> Script:
    """One of everything; waits at the gate while the last answer streams and a tool runs."""

    async def script(actor: Actor) -> None:
        thinking = actor.think("b1")
        actor.grow(thinking, ["The person says that loading is slow. ", "Let me look at the loader first."])
        actor.close(thinking)
        text = actor.text("b2")
        actor.grow(text, ["I'll read the loader and measure it."])
        actor.close(text)
        read = actor.start(actor.call("b3", "Read"), file_path="/home/me/project/loader.py")
        actor.answer(read, "\n".join(f"{n:>6}\tline {n} of the loader" for n in range(1, 43)))
        bash = actor.start(actor.call("b4", "Bash"), command="python -m timeit -n 5 'load()'", description="Measure")
        actor.answer(bash, "5 loops, best of 5: 1.93 sec per loop")
        actor.answer(actor.start(actor.call("b5", "Edit"), **EDIT), "The file has been updated.")
        failed = actor.start(actor.call("b6", "Bash"), command="pytest -q tests/test_loader.py")
        actor.answer(failed, "E   ImportError: cannot import name 'scan'\n1 failed in 0.31s", failed=True)
        todos = [("Find the slow part", "completed"), ("Read once", "in_progress"), ("Update the tests", "pending")]
        todo = [{"content": content, "status": status, "activeForm": content} for content, status in todos]
        actor.answer(actor.start(actor.call("b7", "TodoWrite"), todos=todo), "ok")
        task = actor.start(actor.call("b8", "Task"), description="Find users of scan()", prompt="Look for scan(")
        actor.answer(actor.start(actor.call("b9", "Grep", parent="b8"), pattern="scan\\("), "tests/test_loader.py")
        inner = actor.text("b10", parent="b8")
        actor.grow(inner, ["One test still imports `scan`."])
        actor.close(inner)
        actor.answer(task, "One test still imports scan.")
        actor.notice("b11", "The service is busy; trying again in 4 s (2 of 10)", level="warning", code="api_retry")
        actor.act("Writing")
        answer = actor.text("b12")
        actor.grow(answer, [ARTICLE])
        actor.close(answer)
        actor.start(actor.call("b13", "mcp__notebook__describe"), name="df", rows=5)
        actor.act("Running describe")
        await passed(port)

    return script
