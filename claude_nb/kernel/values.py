"""A Python value as the model gets to see it: a picture, a compact table, or capped text.

Layer 3, pure. Below: `engine.picture`. Above: prompts (`interpolate`), the results of tools (`tools`) and the list of
the user's variables (`namespace`). pandas, polars and numpy are recognised by class name and shape, never imported.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Literal

from claude_nb.engine.picture import Block, is_a, is_picture, picture_block

FRAME_LIBRARIES = ("pandas", "polars")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of a value is shown: characters in all, and rows, columns and characters per cell of a table."""

    chars: int = 20_000
    rows: int = 20
    columns: int = 30
    cell: int = 80


@dataclass(frozen=True, slots=True)
class Shown:
    """A value made ready: `text` (a cut is noted in it), or `image`, a block of the Messages API.

    `whole` is how many characters the text had before it was cut, 0 if it was not.
    """

    kind: Literal["text", "table", "image"]
    text: str = ""
    image: Block | None = None
    whole: int = 0


DEFAULT = Limits()


def show_value(value: Any, limits: Limits = DEFAULT) -> Shown:
    """Make a value ready for the model.

    Strings go as they are, pictures as image blocks, data frames, series and arrays with type and shape, all else by
    `str`. Raises what the value's own methods raise, and ValueError for a picture too large to send.
    """
    if isinstance(value, str):
        return capped(value, limits)
    if (image := picture_block(value)) is not None:
        return Shown("image", image=image)
    if _is_frame(value, "DataFrame"):
        return capped(_frame(value, limits), limits, "table")
    if _is_frame(value, "Series"):
        return capped(_series(value, limits), limits, "table")
    if is_array(value):
        head = f"{type(value).__name__} of {value.dtype}, shape {tuple(value.shape)}"
        return capped(f"{head}\n{value}", limits, "table")
    return capped(str(value), limits)


def capped(text: str, limits: Limits, kind: Literal["text", "table"] = "text") -> Shown:
    """Text of a value, with at most the characters that `limits` grants."""
    return Shown(kind, cut(text, limits.chars), whole=len(text) if len(text) > limits.chars else 0)


def cut(text: str, limit: int) -> str:
    """`text` with at most `limit` characters, and a note if some are missing."""
    return text if len(text) <= limit else f"{text[:limit]}\n(cut: {limit:,} of {len(text):,} characters)"


def is_array(value: Any) -> bool:
    """True for numpy's arrays and what behaves like them (torch, jax, xarray), but not for single numbers."""
    kind = type(value)
    return all(hasattr(kind, name) for name in ("shape", "dtype", "ndim")) and bool(value.ndim)


def is_rich(value: Any) -> bool:
    """True for pictures, frames, series and arrays: what has a better form than its own text."""
    return is_picture(value) or _is_frame(value, "DataFrame") or _is_frame(value, "Series") or is_array(value)


def _is_frame(value: Any, name: str) -> bool:
    return any(is_a(value, library, name) for library in FRAME_LIBRARIES)


def _frame(frame: Any, limits: Limits) -> str:
    height, width = frame.shape
    rows, columns = min(height, limits.rows), min(width, limits.columns)
    names = [f"{_label(name)} ({dtype})" for name, dtype in zip(frame.columns, frame.dtypes, strict=True)]
    pandas = is_a(frame, "pandas", "DataFrame")
    part = frame.iloc[:rows, :columns] if pandas else frame[:rows, :columns]
    body: Iterable[Sequence[Any]] = part.itertuples(index=False, name=None) if pandas else part.iter_rows()
    head = names[:columns]
    if pandas:
        index, keys = _index(part.index)
        head, body = [*index, *head], ((*key, *row) for key, row in zip(keys, body, strict=True))
    lines = [f"DataFrame, {height:,} rows × {width:,} columns", *_table(head, body, limits)]
    if width > columns:
        lines.append(f"(columns {columns + 1} to {width} not shown: {', '.join(names[columns:])})")
    return "\n".join([*lines, *_rows_note(rows, height)])


def _series(series: Any, limits: Limits) -> str:
    height = len(series)
    rows = min(height, limits.rows)
    part = series.head(rows)
    named = None if series.name is None else _label(series.name)
    title = f"Series {named!r}, {height:,} values of {series.dtype}"
    index, keys = _index(part.index) if hasattr(part, "index") else ([""], ((n,) for n in range(rows)))
    items = ((*key, value) for key, value in zip(keys, part.to_list(), strict=True))
    return "\n".join([title, *_table([*index, named or "value"], items, limits), *_rows_note(rows, height)])


def _index(index: Any) -> tuple[list[str], Iterable[Sequence[Any]]]:
    """The heads of a pandas index's columns, one for each level, and what stands in them, row by row."""
    if index.nlevels == 1:
        return [_index_head(index.name, index.dtype)], ((key,) for key in index)
    return [_index_head(name, dtype) for name, dtype in zip(index.names, index.dtypes, strict=True)], index


def _index_head(name: Any, dtype: Any) -> str:
    return "" if name is None else f"{_label(name)} ({dtype})"


def _label(name: Any) -> str:
    """The name of a column; one of several levels as `x / sum`."""
    return " / ".join(_plain(part) for part in name if part != "") if isinstance(name, tuple) else _plain(name)


def _rows_note(shown: int, height: int) -> list[str]:
    return [f"(first {shown:,} of {height:,} rows)"] if shown < height else []


def _table(head: Sequence[Any], rows: Iterable[Sequence[Any]], limits: Limits) -> list[str]:
    def line(cells: Iterable[Any]) -> str:
        return "| " + " | ".join(_cell(cell, limits.cell) for cell in cells) + " |"

    return [line(head), "|" + " --- |" * len(head), *(line(row) for row in islice(rows, limits.rows))]


def _cell(value: Any, limit: int) -> str:
    text = _plain(value)
    text = text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", "\\n").replace("\r", "\\r")
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _plain(value: Any) -> str:
    """A value in a cell: short, and not a digit less than it has."""
    if isinstance(value, float):
        # 15 digits are those that every decimal survives with; the rest is the noise of binary fractions.
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else f"{value:.15g}"
    if isinstance(value, datetime):
        return str(value).removesuffix(" 00:00:00")
    return str(value)
