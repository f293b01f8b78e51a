"""Changes of a conversation -> numbered messages to the page, many deltas in one.

Pure: no clock, no IO. Above: `live` decides when to flush. Below: `render` makes every piece of HTML, `page` says what
the operations mean. Between two flushes changes only mark blocks; what a flush costs does not depend on how many
deltas it covers, and a growing block is rendered whole only when it has grown by a fixed share, so that all renderings
of a long one together cost a small multiple of the last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from claude_nb.conversation.model import Block, Change, ChangeKind, Notice, Question, Text, Thinking, Tool, Turn
from claude_nb.render.html import block_html, footer_html, status_html
from claude_nb.render.markdown import MarkdownStream
from claude_nb.render.style import Look

from .page import Op, Page
from .question import card_data

Message = dict[str, Any]


class Patcher:
    """Keeps one page in step with one turn. `look` must be a live one: classes, not literal colours."""

    def __init__(self, look: Look):
        self._look = look
        self._page = Page()
        self._seq = 0
        self._turn: Turn | None = None
        self._writers: dict[str, _Writer] = {}
        self._dirty: dict[str, Block] = {}
        self._turn_dirty = False
        self._noticed = 0

    @property
    def seq(self) -> int:
        """Number of the last message made; 0 before the first."""
        return self._seq

    @property
    def pending(self) -> bool:
        """Whether a flush would say anything new."""
        return bool(self._dirty) or self._turn_dirty

    def apply(self, changes: Iterable[Change]) -> None:
        """Take changes in. A turn's OPENED brings the blocks that it has already."""
        for change in changes:
            self._turn = change.turn
            if change.block is not None:
                self._dirty[change.block.key] = change.block
            else:
                self._turn_dirty = True
                if change.kind is ChangeKind.OPENED:
                    self._dirty |= {block.key: block for block in change.turn.blocks}

    def flush(self, now: float) -> Message | None:
        """All that changed since the last flush, as one message; None if nothing did. `now` in epoch seconds."""
        ops = list(self._ops(now))
        self._dirty.clear()
        self._turn_dirty = False
        if not ops:
            return None
        self._page.apply(ops)
        self._seq += 1
        return {"k": "patch", "s": self._seq, "ops": ops}

    def snapshot(self, now: float) -> Message:
        """The whole page, pending changes included; the next patch follows it."""
        self.flush(now)
        if self._turn is not None and self._turn.ended is None:
            self._page.seconds = _seconds(self._turn, now)
        for key in self._page.cards:
            self._page.apply(self._writers[key].ops(now))
        return {"k": "full", "s": self._seq, "ops": self._page.ops()}

    def _ops(self, now: float) -> Iterator[Op]:
        if self._turn_dirty and (turn := self._turn) is not None:
            yield from self._notices(turn)
        for key, block in self._dirty.items():
            writer = self._writers.get(key)
            if writer is None:
                writer = self._writers[key] = _writer(block, self._look)
                yield ["add", key, block.parent, _kind(block), self._after(block)]
            yield from writer.ops(now)
        if self._turn_dirty and (turn := self._turn) is not None:
            status, end = status_html(turn, self._look), ""
            if turn.ended is not None:
                status, end = "", footer_html(turn, self._look)
            if status != self._page.status:
                yield ["status", status, _seconds(turn, now)]
            if end != self._page.end:
                yield ["end", end]

    def _after(self, block: Block) -> str | None:
        """The sibling behind which a block stands that does not come last: a question's tool call, or the question
        before it about the same call."""
        if self._turn is None or not isinstance(block, Question) or block.tool is None:
            return None
        behind = block.tool
        for other in self._turn.blocks:
            if other is block:
                break
            if isinstance(other, Question) and other.tool == block.tool:
                behind = other.key
        return behind

    def _notices(self, turn: Turn) -> Iterator[Op]:
        """What there is to say about the prompt itself, as blocks of their own."""
        for number in range(self._noticed, len(turn.notices)):
            key = f"notice-{number}"
            yield ["add", key, None, "notice", None]
            yield ["set", key, block_html(Notice(key=key, text=turn.notices[number]), self._look)]
        self._noticed = len(turn.notices)


def _seconds(turn: Turn, now: float) -> float:
    return round(max(0.0, now - turn.started), 1) if turn.started else 0.0


def _kind(block: Block) -> str:
    return type(block).__name__.lower()


class _Growth:
    """When to render a growing thing again: always while it is short, then each time it has grown by `factor`."""

    def __init__(self, short: int, factor: float):
        self._short, self._factor, self._rendered = short, factor, -1

    def due(self, size: int) -> bool:
        """Whether a thing of that size (in characters) is rendered now; it counts as done."""
        if self._rendered >= 0 and self._short < size < self._rendered * self._factor:
            return False
        self._rendered = size
        return True


class _Writer:
    """Brings one block of the page up to date: rendered whole, sent if that looks different."""

    def __init__(self, block: Block, look: Look):
        self._block, self._look, self._html = block, look, ""

    def ops(self, now: float) -> Iterator[Op]:
        """What must be done so that the page shows the block as it is now."""
        html = block_html(self._block, self._look)
        if html != self._html:
            self._html = html
            yield ["set", self._block.key, html]


class _QuestionWriter(_Writer):
    """A question: a card while it is open, then the record of what was decided."""

    def __init__(self, block: Question, look: Look):
        super().__init__(block, look)
        self._question = block

    def ops(self, now: float) -> Iterator[Op]:
        if self._question.status == "open" and not self._question.ask.get("typed"):
            yield ["card", self._question.key, card_data(self._question, now)]
        else:
            yield from super().ops(now)


class _ToolWriter(_Writer):
    """A tool call; while its input streams in, only now and then."""

    def __init__(self, block: Tool, look: Look):
        super().__init__(block, look)
        self._tool = block
        self._growth = _Growth(short=400, factor=1.5)

    def ops(self, now: float) -> Iterator[Op]:
        if self._tool.input_done or self._growth.due(len(self._tool.input_json)):
            yield from super().ops(now)


class _ThinkingWriter(_Writer):
    """Thinking: rendered at both ends and now and then between; plain text in the meantime."""

    def __init__(self, block: Thinking, look: Look):
        super().__init__(block, look)
        self._thinking = block
        self._growth = _Growth(short=200, factor=2)
        self._sent = ""

    def ops(self, now: float) -> Iterator[Op]:
        text = self._thinking.text
        grew = self._thinking.ended is None and text.startswith(self._sent)
        if not grew or self._growth.due(len(text)):
            yield from super().ops(now)
        elif len(text) > len(self._sent):
            yield ["txt", self._thinking.key, text[len(self._sent) :]]
            self._html = ""  # the page has more than what was rendered: the next rendering is sent in any case
        self._sent = text


class _TextWriter(_Writer):
    """An answer's Markdown: finished top-level blocks are appended once, only the open tail changes."""

    def __init__(self, block: Text, look: Look):
        super().__init__(block, look)
        self._text = block
        self._start()

    def _start(self) -> None:
        self._stream = MarkdownStream(self._look)
        self._fed = ""
        self._tail = ""
        self._closed = False
        self._growth = _Growth(0, 1)

    def ops(self, now: float) -> Iterator[Op]:
        key, text = self._text.key, self._text.text
        if not text.startswith(self._fed) or (self._closed and text != self._fed):
            self._start()
            yield ["set", key, ""]
        finished = self._stream.feed(text[len(self._fed) :]) if not self._closed else []
        self._fed = text
        if self._text.ended is not None and not self._closed:
            finished += self._stream.close()
            self._closed = True
        if finished:
            yield ["app", key, "".join(finished)]
            self._tail = ""
        if not self._closed:
            yield from self._tail_ops(fresh=bool(finished))

    def _tail_ops(self, *, fresh: bool) -> Iterator[Op]:
        tail = self._stream.tail
        if tail == self._tail and not fresh:
            return
        fence = self._stream.tail_kind == "fence"
        # Behind a fence's first line comes code, and only from then on text can go on where the last HTML ended.
        goes_on = tail.startswith(self._tail) and (("\n" if fence else "") in self._tail) and self._tail != ""
        if not goes_on:
            # Highlighted code is several times its text: it is shown plain at first, and coloured as it doubles.
            self._growth = _Growth(short=0, factor=2) if fence else _Growth(short=600, factor=1.5)
        delta = tail[len(self._tail) :]
        if goes_on and ((not fence and _reads_the_same(self._tail, delta)) or not self._growth.due(len(tail))):
            yield ["txt", self._text.key, delta]
            self._tail = tail
        else:
            yield ["tail", self._text.key, _LAST_NEWLINES.sub(r"\1", self._stream.tail_html())]
            self._tail = tail.rstrip("\n" if fence else None)


# Characters that can mean something to Markdown in the middle of a line, and the ends of lines.
_MARKUP = re.compile(r"[\n*_`~\[\]<>|#$\\/&;=@]")
# A last line in which words have begun, after the marks of lists, quotes and headings; not one of a table.
_IN_WORDS = re.compile(r"(?:^|\n)[ ]*(?:(?:[-+*>]|\d+[.)]|#{1,6})[ ]+)*[^\W\d_][^\n|]*\Z")
_IN_LINK = re.compile(r"(?:://|www\.)\S*\Z")


def _reads_the_same(shown: str, delta: str) -> bool:
    """Whether `delta` after `shown` looks the same as plain text as it would rendered: words in the middle of a line.

    Most deltas of prose are such. Where this errs, the next rendering puts it right.
    """
    return not _MARKUP.search(delta) and not _IN_LINK.search(shown) and bool(_IN_WORDS.search(shown))


# HTML leaves out or adds newlines at the end of the text. Without any, text can go on there: it brings its own.
_LAST_NEWLINES = re.compile(r"\n+((?:</\w+>\s*)+)$")


def _writer(block: Block, look: Look) -> _Writer:
    match block:
        case Text():
            return _TextWriter(block, look)
        case Thinking():
            return _ThinkingWriter(block, look)
        case Tool():
            return _ToolWriter(block, look)
        case Question():
            return _QuestionWriter(block, look)
        case _:
            return _Writer(block, look)
