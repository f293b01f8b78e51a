"""What the scripted model says in the tour: one scene for each prompt, and an honest answer to all others.

Below: `request.py` and `answer.py`. Above: `lab.py` gives `tour()` to the model, `check.py` holds a cell's
output against the scene's `expect`. A scene looks only at the prompt and at the tool results since, so cells
run in any order and as often as you like. Where it can, it works with what really came (the tool's result, the
picture's size); where it can't, it says so.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, Final

from .answer import Part, Text, Thinking, ToolUse
from .request import Request, ToolResult

Play = Callable[[Request], Sequence[Part]]


@dataclass(frozen=True, slots=True)
class Scene:
    """Prompts that match `prompt` are answered by `play`; the finished cell must show every text of `expect`."""

    prompt: str
    play: Play
    expect: tuple[str, ...]


def tour(pace: float = 0.02) -> Callable[[Request], Sequence[Part]]:
    """The tour as a script for `ScriptedModel`; `pace` is the pause in seconds after each word or so."""

    def script(request: Request) -> Sequence[Part]:
        parts = scene_for(request.prompt).play(request)
        return [replace(part, chunk=6, delay=pace) if isinstance(part, (Text, Thinking)) else part for part in parts]

    return script


def scene_for(prompt: str) -> Scene:
    """The scene that a prompt asks for; the last one takes whatever the tour does not know."""
    return next(scene for scene in SCENES if re.search(scene.prompt, prompt, re.IGNORECASE))


def rolling_mean(_: Request) -> Sequence[Part]:
    """Markdown with a formula, code and a table."""
    return [Thinking("A definition, one example in pandas, and what the window does. Short."), Text(_ROLLING)]


def exponential_mean(_: Request) -> Sequence[Part]:
    """A follow-up question."""
    thought = "They know the rolling mean now. So: the difference, the formula, and when it pays."
    return [Thinking(thought), Text(_EXPONENTIAL)]


def growth(request: Request) -> Sequence[Part]:
    """Reads the tour's sales table out of the prompt, and says so if another one came."""
    if {"780", "1080"} <= set(re.findall(r"\d+", request.prompt)):
        return [Thinking("East went from 780 to 1080, North from 1200 to 1310. East it is."), Text(_GROWTH)]
    return [Text("This is not the table that the script knows, so a scripted model can't compare the regions.")]


def chart(request: Request) -> Sequence[Part]:
    """Says what picture arrived, from its bytes."""
    if not request.images:
        return [Text("No picture came with this prompt.")]
    picture = request.images[0]
    size = png_size(picture)
    what = f"a PNG of {size[0]} × {size[1]} pixels" if size else "a picture that is no PNG"
    return [
        Text(
            f"Your chart arrived as an image block: {what}, {len(picture):,} bytes. "
            "A real model would now look at it; the script can only measure it."
        )
    ]


def revenue(request: Request) -> Sequence[Part]:
    """Calls the notebook's own function and works with what it returned."""
    result = request.results[-1] if request.results else None
    if result is not None:
        if result.is_error:
            return [Text(_stopped(result))]
        return [Text(f"Your function ran in this kernel and returned **{result.text}** for the East.")]
    name = request.mcp_tool("revenue")
    if name is None:
        return [Text("I was not given a function called `revenue`: add `--tool revenue` to the cell.")]
    return [Text("The notebook has a function for that."), ToolUse(name, {"region": "East"})]


def report(request: Request) -> Sequence[Part]:
    """Read, Write, Bash, Edit, Bash: each step follows from the last result."""
    folder = PurePath(request.cwd or ".")
    table, script = str(folder / "sales.csv"), str(folder / "report.py")
    if not request.results:
        return [
            Thinking("Look at the columns first, then write the script, run it, improve it, run it again."),
            Text("First a look at the data."),
            ToolUse("Read", {"file_path": table}),
        ]
    last = request.results[-1]
    if last.is_error:
        seen = any(result.input.get("file_path") == script for result in request.results if result.name == "Read")
        # A file that an earlier run left behind must be read before the CLI lets it be replaced.
        if last.name == "Write" and "read" in last.text.lower() and not seen:
            return [Text("There is one already. I read it first."), ToolUse("Read", {"file_path": script})]
        return [Text(_stopped(last))]
    runs = [result for result in request.results if result.name == "Bash"]
    match last.name:
        case "Read":
            call = ToolUse("Write", {"file_path": script, "content": _REPORT})
            return [Text("Three columns: `region`, `month`, `revenue`. Now the script."), call]
        case "Write":
            return [Text("Run it."), _run("Run the report")]
        case "Bash" if len(runs) == 1:
            change = {"file_path": script, "old_string": _LOOP, "new_string": _SORTED_LOOP}
            return [Text("It works, in the order of the file. Now the largest first."), ToolUse("Edit", change)]
        case "Edit":
            return [_run("Run the report again")]
        case _:
            return [Text(f"Done. `report.py` now prints the regions by size:\n\n```text\n{last.text}\n```")]


def outside(request: Request) -> Sequence[Part]:
    """Asks for something that the demo's policy does not cover, so a person is asked."""
    if not request.results:
        note = str(PurePath(request.cwd or ".").parent / "hello.txt")
        return [
            Text("That folder is not mine to write in, so you will be asked."),
            ToolUse("Write", {"file_path": note, "content": "Hello from the notebook.\n"}),
        ]
    last = request.results[-1]
    if last.is_error:
        return [Text(f"It was refused, so nothing was written. This is what I was told:\n\n> {_quoted(last)}")]
    return [Text(f"It was allowed: `{last.input['file_path']}` is written.")]


def not_in_script(_: Request) -> Sequence[Part]:
    """The honest answer to any other prompt."""
    return [Text(NOT_IN_SCRIPT)]


def png_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG, None if `data` is none."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n") or len(data) < 24:
        return None
    width, height = struct.unpack(">II", data[16:24])
    return width, height


def _run(description: str) -> ToolUse:
    arguments: dict[str, Any] = {"command": "python report.py", "description": description}
    return ToolUse("Bash", arguments)


def _stopped(result: ToolResult) -> str:
    return f"I stop here: `{result.name}` did not work out. It said:\n\n> {_quoted(result)}"


def _quoted(result: ToolResult) -> str:
    return " ".join(result.text.split())[:400]


NOT_IN_SCRIPT: Final = """\
**A scripted model answers in this demo**, and this prompt is not in its script. It knows the cells of the tour, \
run in any order; nothing was sent over the internet.

To ask the real model, stop the demo and either

- run `claude-nb demo --real`, which opens this tour with your own account, or
- put `%load_ext claude_nb` into any notebook of yours.

Both need an account: set `ANTHROPIC_API_KEY`, or run `claude` in a terminal and log in with `/login`. \
`claude-nb doctor` says whether credentials were found.
"""

_ROLLING: Final = """\
A **rolling mean** replaces each value by the average of the last $n$ values. It smooths noise and keeps the trend:

$$\\bar{x}_t = \\frac{1}{n} \\sum_{i=0}^{n-1} x_{t-i}$$

In pandas:

```python
import pandas as pd

visits = pd.Series([12, 15, 11, 19, 24, 22, 27])
visits.rolling(window=3).mean()
```

The window decides what you see:

| window | noise | delay | good for |
|-------:|:------|:------|:---------|
| 3 | some left | 1 step | spotting a turn early |
| 7 | little | 3 steps | daily data with a weekly rhythm |
| 30 | none | 15 steps | the long trend |

The first $n - 1$ results are `NaN`: there is not enough past yet.
"""

_EXPONENTIAL: Final = """\
An **exponential mean** never drops a value, it lets old ones fade:

$$s_t = \\alpha x_t + (1 - \\alpha) s_{t-1}, \\qquad 0 < \\alpha \\le 1$$

Prefer it when

1. the latest values matter most (load on a server, a price),
2. you cannot keep the whole window: it needs *one* number of memory,
3. jumps in the result hurt; a rolling mean jumps when an outlier leaves its window.

```python
visits.ewm(alpha=0.3).mean()
```
"""

_GROWTH: Final = """\
**East** grew most: from 780 in January to 1080 in March, **+38%**. North gained 9%, South 6%; West lost 9%.

```python
first, last = sales["month"].iloc[0], sales["month"].iloc[-1]
table = sales.pivot(index="region", columns="month", values="revenue")
growth = (table[last] / table[first] - 1).sort_values(ascending=False)
```
"""

_LOOP: Final = "for region, total in totals.items():"
_SORTED_LOOP: Final = "for region, total in sorted(totals.items(), key=lambda item: -item[1]):"
_REPORT: Final = f'''\
"""Total revenue by region, from sales.csv."""

import csv
from collections import Counter

totals = Counter()
with open("sales.csv", newline="") as file:
    for row in csv.DictReader(file):
        totals[row["region"]] += int(row["revenue"])

{_LOOP}
    print(f"{{region:<6}} {{total:>6,}} EUR")
'''

SCENES: Final = (
    Scene(r"rolling mean", rolling_mean, ("rolling(window=3)", "\\sum", "weekly rhythm")),
    Scene(r"exponential", exponential_mean, ("ewm(alpha=0.3)", "\\alpha")),
    Scene(r"grew (the )?most", growth, ("+38%", "sales.pivot")),
    Scene(r"this chart", chart, ("a PNG of", "pixels")),
    Scene(r"revenue of the East", revenue, ("Your function ran", "2,760 EUR")),
    Scene(r"outside this folder", outside, ("nothing was written",)),
    Scene(r"report\.py", report, ("North   3,760 EUR\nWest    3,150 EUR\nSouth   2,950 EUR\nEast    2,760 EUR",)),
    Scene(r"", not_in_script, ("A scripted model answers in this demo", "claude-nb demo --real")),
)
