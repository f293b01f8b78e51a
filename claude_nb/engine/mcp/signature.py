"""A function's own words: name, description and parameters from its signature, type hints and docstring.

Layer 2, pure. Above: `tool`. Below: `schema`. Docstrings in Google, NumPy and Sphinx style are understood as far as
parameters go; the rest of the docstring is the description.
"""

from __future__ import annotations

import functools
import inspect
import re
import typing
from collections.abc import Callable
from typing import Any

from claude_nb.engine.mcp.hints import MISSING, Parameter
from claude_nb.engine.mcp.schema import Shape, shape_of_parameters
from claude_nb.errors import OptionsError

_GOOGLE = re.compile(r"^(Args|Arguments|Parameters):\s*$")
_NUMPY = re.compile(r"^(Other )?Parameters\s*$")
_SPHINX = re.compile(r"^:param\s+(?:[^:]*\s)?\*{0,2}(\w+):\s*(.*)$")
_GOOGLE_ENTRY = re.compile(r"^\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")
_NUMPY_ENTRY = re.compile(r"^\*{0,2}(\w+(?:\s*,\s*\w+)*)\s*(?::.*)?$")


def describe(fn: Callable[..., Any]) -> tuple[str, str, Shape]:
    """Name, description and shape of a function that takes keywords.

    Without a docstring its signature describes it. Raises OptionsError for a function that cannot be called with
    keywords, has hints that cannot be resolved, or takes values without a JSON form.
    """
    inner = innermost(fn)
    name = getattr(inner, "__name__", type(inner).__name__)
    try:
        signature = inspect.signature(fn)
    except ValueError as error:
        raise OptionsError(f"{name} does not tell its parameters; wrap it in a function of yours.") from error
    text, words = read_docstring(inner.__doc__)
    hints = _hints(inner, name)
    parameters = []
    more = False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            more = True
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL):
            raise OptionsError(f"{name}: parameter {parameter.name!r} has no keyword, and the model calls by keywords.")
        elif parameter.name in ("self", "cls") and parameter.annotation is parameter.empty:
            raise OptionsError(f"{name} is a method: make a tool of it bound to its object, tool(thing.{name}).")
        else:
            required = parameter.default is parameter.empty
            parameters.append(
                Parameter(
                    parameter.name,
                    hints.get(parameter.name, Any),
                    required,
                    MISSING if required else parameter.default,
                    words.get(parameter.name),
                )
            )
    return name, text or f"{name}{signature}", shape_of_parameters(parameters, more=more)


def innermost(fn: Callable[..., Any]) -> Any:
    """The function inside partials and decorators."""
    fn = inspect.unwrap(fn)
    return innermost(fn.func) if isinstance(fn, functools.partial) else fn


def _hints(fn: Callable[..., Any], name: str) -> dict[str, Any]:
    target = fn if inspect.isroutine(fn) else type(fn).__call__
    try:
        return typing.get_type_hints(target, include_extras=True)
    except (NameError, SyntaxError) as error:
        raise OptionsError(f"{name} has a type hint that cannot be resolved: {error}.") from error


def read_docstring(doc: str | None) -> tuple[str, dict[str, str]]:
    """A docstring as (text without its parameters, words of each parameter)."""
    text: list[str] = []
    words: dict[str, str] = {}
    lines = inspect.cleandoc(doc or "").splitlines()
    while lines:
        line = lines.pop(0)
        if sphinx := _SPHINX.match(line):
            words[sphinx[1]] = " ".join([sphinx[2], *_take_indented(lines)]).strip()
        elif _GOOGLE.match(line):
            _read_google(_take_block(lines), words)
        elif _NUMPY.match(line) and lines and set(lines[0].strip()) == {"-"}:
            lines.pop(0)
            _read_numpy(lines, words)
        else:
            text.append(line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(text)).strip(), words


def _take_indented(lines: list[str]) -> list[str]:
    taken = []
    while lines and lines[0][:1] == " " and lines[0].strip():
        taken.append(lines.pop(0).strip())
    return taken


def _take_block(lines: list[str]) -> list[str]:
    """The indented lines that follow, blank ones among them too."""
    taken = []
    while lines and (not lines[0].strip() or lines[0][:1] == " "):
        taken.append(lines.pop(0))
    return inspect.cleandoc("\n" + "\n".join(taken)).splitlines()


def _read_google(block: list[str], words: dict[str, str]) -> None:
    while block:
        entry = _GOOGLE_ENTRY.match(block.pop(0))
        rest = _take_indented(block)
        if entry:
            words[entry[1]] = " ".join([entry[2], *rest]).strip()


def _read_numpy(lines: list[str], words: dict[str, str]) -> None:
    while lines and not (len(lines) > 1 and lines[1].strip() and set(lines[1].strip()) == {"-"}):
        entry = _NUMPY_ENTRY.match(lines.pop(0))
        rest = " ".join(_take_indented(lines))
        for name in entry[1].split(",") if entry and rest else ():
            words[name.strip()] = rest
