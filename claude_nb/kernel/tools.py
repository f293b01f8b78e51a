"""The notebook's side of the agent's tools: the user's functions on the main thread, and questions by typing.

Layer 3. Below: the pump, which brings calls to the main thread, and `values`, which makes results presentable.
Above: the engine's in-process MCP server takes a `MainThreadRunner` as the one who runs plain functions; the chat
asks with `ask_typed` where no widget can.
"""

from __future__ import annotations

import contextvars
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from claude_nb.engine.picture import Block
from claude_nb.kernel.pump import Pump
from claude_nb.kernel.values import DEFAULT, Limits, is_rich, show_value

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

    async def __call__(self, fn: Callable[..., Any], kwargs: Mapping[str, Any]) -> Any:
        """Run `fn(**kwargs)`; what it returns, made presentable (see `presentable`).

        Raises what `fn` raises, and CallInterrupted if the user interrupted it. When its turn is stopped it is broken
        off: code of its own sees that as an interrupt.
        """
        if inspect.iscoroutinefunction(fn):
            result = await fn(**kwargs)
        else:
            result = await self._on_main(lambda: presentable(fn(**kwargs), self._limits))
            if not inspect.isawaitable(result):
                return result
            result = await result
        # What a coroutine returned is presented on the main thread too: a figure is not for two threads.
        return await self._on_main(lambda: presentable(result, self._limits)) if _has_rich(result) else result

    async def _on_main(self, job: Callable[[], Any]) -> Any:
        return await self._pump.call(job, context=self._context(), on_interrupt=self._on_interrupt)


def presentable(result: Any, limits: Limits = DEFAULT) -> Any:
    """A tool's result with its tables, arrays and pictures made into MCP content; anything else as it is.

    A rich result, or a list or tuple with rich items, becomes `{"content": [...]}` with a piece for each; the items
    that are not rich stay what they are. The MCP server makes content of the rest.
    """
    if not _has_rich(result):
        return result
    items = result if isinstance(result, (list, tuple)) else [result]
    return {"content": [_piece(item, limits) if _is_rich(item) else item for item in items]}


def _has_rich(result: Any) -> bool:
    return any(map(_is_rich, result)) if isinstance(result, (list, tuple)) else _is_rich(result)


def _is_rich(value: Any) -> bool:
    return not isinstance(value, (bytes, bytearray, memoryview)) and is_rich(value)  # files go as they are


def _piece(value: Any, limits: Limits) -> Block:
    shown = show_value(value, limits)
    if shown.image is None:
        return {"type": "text", "text": shown.text}
    source = shown.image["source"]
    if source["type"] == "url":
        return {"type": "text", "text": source["url"]}
    return {"type": "image", "data": source["data"], "mimeType": source["media_type"]}


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
