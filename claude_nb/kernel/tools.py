"""The notebook's side of the agent's tools: the user's functions on the main thread, and questions by typing.

Layer 3. Below: the pump, which brings calls to the main thread, and `values`, which makes results presentable.
Above: the engine's in-process MCP server takes a `MainThreadRunner` as the one who runs plain functions; the chat
asks with `ask_typed` where no widget can.
"""

from __future__ import annotations

import contextvars
import inspect
import json
from collections.abc import Callable, Mapping
from typing import Any

from claude_nb.kernel.images import Block
from claude_nb.kernel.pump import CallInterrupted, Pump
from claude_nb.kernel.values import DEFAULT, Limits, cut, is_rich, show_value

#: How often an answer that was not among the choices is asked for again.
TRIES = 3


class MainThreadRunner:
    """Runs a tool's function where the user's objects live: on the main thread, in its own cell's context.

    `context()` gives the context of the cell whose turn runs (`Place.context`), `on_interrupt` ends that turn if the
    user interrupts a tool while no cell waits for it. Coroutine functions run on the caller's loop instead.
    """

    def __init__(
        self,
        pump: Pump,
        *,
        context: Callable[[], contextvars.Context | None] = lambda: None,
        on_interrupt: Callable[[], object] | None = None,
        limits: Limits = DEFAULT,
    ):
        self._pump = pump
        self._context = context
        self._on_interrupt = on_interrupt
        self._limits = limits

    async def __call__(self, fn: Callable[..., Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Run `fn(**kwargs)`; its result as MCP content: `{"content": [{"type": "text" | "image", ...}]}`.

        Raises what `fn` raises, and CallInterrupted if the user interrupted it.
        """
        if inspect.iscoroutinefunction(fn):
            result = await fn(**kwargs)
            # Figures are saved on the main thread as well: pyplot's state is not for two threads.
            return await self._on_main(lambda: to_content(result, self._limits))
        return await self._on_main(lambda: to_content(fn(**kwargs), self._limits))

    async def _on_main(self, job: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        return await self._pump.call(job, context=self._context(), on_interrupt=self._on_interrupt)


def to_content(result: Any, limits: Limits = DEFAULT) -> dict[str, Any]:
    """A tool's result as MCP content.

    A dict that is MCP content already passes; a list or tuple with pictures or tables in it becomes one piece each;
    other plain data is JSON; everything else is shown as in a prompt (`show_value`).
    """
    if isinstance(result, dict) and isinstance(result.get("content"), list):
        return result
    if isinstance(result, (list, tuple)) and any(map(is_rich, result)):
        return {"content": [_piece(item, limits) for item in result]}
    return {"content": [_piece(result, limits)]}


def _piece(value: Any, limits: Limits) -> Block:
    if value is None:
        return {"type": "text", "text": "(no result)"}
    if isinstance(value, (dict, list, tuple, bool, int, float)):
        return {"type": "text", "text": cut(_json(value), limits.chars)}
    shown = show_value(value, limits)
    if shown.image is None:
        return {"type": "text", "text": shown.text}
    source = shown.image["source"]
    if source["type"] == "url":
        return {"type": "text", "text": source["url"]}
    return {"type": "image", "data": source["data"], "mimeType": source["media_type"]}


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return str(value)  # holds objects of the user's


def ask_typed(question: str, choices: Mapping[str, str], otherwise: str) -> str:
    """Ask on the cell's (or terminal's) standard input; the key of the choice comes back. Main thread, blocks.

    `choices` maps what to type to what it means: `{"y": "allow once", "n": "deny"}`. Upper and lower case are the
    same, the whole meaning may be typed too. `otherwise` is the answer if there is no input to read from, or after
    three answers that are none. An interrupt raises KeyboardInterrupt, so that it also stops the turn.
    """
    answers = {key.casefold(): key for key in choices} | {label.casefold(): key for key, label in choices.items()}
    menu = " / ".join(f"[{key}] {label}" for key, label in choices.items())
    print(question, flush=True)
    for _ in range(TRIES):
        try:
            typed = input(f"{menu}: ").strip().casefold()
        except (EOFError, RuntimeError):  # RuntimeError: a front end without stdin (IPython's StdinNotImplementedError)
            break
        if typed in answers:
            return answers[typed]
        print(f"Please type one of: {', '.join(choices)}", flush=True)
    return otherwise


async def ask_typed_from(
    pump: Pump,
    question: str,
    choices: Mapping[str, str],
    otherwise: str,
    *,
    context: contextvars.Context | None = None,
    on_interrupt: Callable[[], object] | None = None,
) -> str:
    """`ask_typed` for tasks of the engine. An interrupt answers `otherwise`, and stops the turn through the pump."""
    try:
        return await pump.call(ask_typed, question, choices, otherwise, context=context, on_interrupt=on_interrupt)
    except CallInterrupted:
        return otherwise
