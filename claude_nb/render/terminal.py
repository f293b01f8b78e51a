"""A turn in a terminal, as it happens: Markdown blocks drawn by rich, tool calls as lines.

Above: the terminal face. Below: `plain` (lines), `stream` (where a block ends), rich (loaded late). Model text reaches
the terminal only without escape sequences and control characters, or it could redraw what was shown, set the
clipboard or forge a prompt.

What is finished is printed once and never redrawn, so scrollback, pagers and files hold what the screen held. On a
terminal the open text and what is going on stand below it, in place, until they are finished too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from claude_nb.conversation.model import Block, Change, ChangeKind, Notice, Question, Text, Thinking, Tool, Turn

from .footer import footer_parts
from .plain import head_line, notice_line, part_lines, question_line, thinking_line
from .stream import BlockStream
from .style import Look
from .text import clean, visible
from .view import tool_view

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

_LEVELS = {"info": "dim", "warning": "yellow", "error": "bold red"}
_SIGNS = {"+": "green", "-": "red", "⋯": "dim"}
_TAIL_LINES = 12


class TerminalView:
    """Prints the changes of one conversation to a rich `Console`, with or without a terminal behind it.

    `look` says what paths are relative to and whether costs show.
    """

    def __init__(self, console: Console, look: Look | None = None):
        self._console = console
        self._look = look or Look(live=True)
        self._streams: dict[str, tuple[BlockStream, int]] = {}  # block key -> its stream, characters fed
        self._said: set[str] = set()
        self._live: Live | None = None

    def apply(self, changes: Iterable[Change]) -> None:
        """Print what is finished; show what is not."""
        turn = None
        for change in changes:
            turn = change.turn
            if change.block is not None:
                self._block(change.turn, change.block, closed=change.kind is ChangeKind.CLOSED)
            elif change.kind is ChangeKind.OPENED:
                for text in change.turn.notices:
                    self._console.print(_line(visible(f"Note: {text}"), "dim"))
            elif change.kind is ChangeKind.ENDED:
                self._end(change.turn)
                turn = None
        if turn is not None:
            self._show_open(turn)

    def pause(self) -> None:
        """Take away what stands below the text, for a typed answer; the next change brings it back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _block(self, turn: Turn, block: Block, closed: bool) -> None:
        match block:
            case Text():
                self._text(turn, block, closed)
            case Tool() if block.status in ("done", "failed", "cancelled"):
                self._once(turn, block, self._tool)
            case Thinking() if closed or block.ended is not None:
                self._once(turn, block, lambda b: [_line(thinking_line(b), "dim")])
            case Notice():
                self._once(turn, block, lambda b: [_line(notice_line(b), _LEVELS[b.level])])
            case Question() if block.status != "open":
                self._once(turn, block, lambda b: [_line(question_line(b, self._look.root), "dim")])

    def _once(self, turn: Turn, block: Any, draw: Callable[[Any], list[RenderableType]]) -> None:
        if block.key not in self._said:
            self._said.add(block.key)
            self._print(turn, block, draw(block))

    def _text(self, turn: Turn, block: Text, closed: bool) -> None:
        if block.key in self._said:
            return
        # The engine's thread may go on writing meanwhile: look first whether it has ended, then once at the text.
        closed = closed or block.ended is not None
        text = block.text
        stream, fed = self._streams.get(block.key) or (BlockStream(), 0)
        finished = stream.feed(text[fed:])
        self._streams[block.key] = stream, len(text)
        if closed:
            finished += stream.close()
            self._said.add(block.key)
            del self._streams[block.key]
        self._print(turn, block, [_markdown(source) for source in finished])

    def _tool(self, tool: Tool) -> list[RenderableType]:
        view = tool_view(tool, self._look.root)
        style = "red" if tool.status == "failed" else "cyan"
        lines = [_line(f"  {line}", _SIGNS.get(line[:1], "dim")) for line in part_lines(view)]
        return [_line(f"{view.icon} {head_line(view, tool.status)}", style), *lines]

    def _end(self, turn: Turn) -> None:
        for block in turn.blocks:
            # An interrupt leaves blocks open: what there is of them is shown.
            self._block(turn, block, closed=True)
        self.pause()
        state, facts = footer_parts(turn, show_cost=self._look.show_cost)
        if turn.error is not None and turn.status == "failed":
            state = f"failed: {turn.error}"
        if state:
            self._console.print(_line(visible(state), "bold red"))
        if facts:
            self._console.print(_line(visible(" · ".join(facts)), "dim"))
        self._said.clear()
        self._streams.clear()

    def _print(self, turn: Turn, block: Block, drawn: list[RenderableType]) -> None:
        from rich.padding import Padding

        depth = _depth(turn, block)
        for item in drawn:
            self._console.print(Padding(item, (0, 0, 0, 2 * depth)) if depth else item)

    def _show_open(self, turn: Turn) -> None:
        if not self._console.is_terminal:
            return
        from rich.console import Group
        from rich.live import Live
        from rich.text import Text as Line

        lines = [line for stream, _ in self._streams.values() for line in clean(stream.tail).split("\n")]
        shown = Group(Line("\n".join(lines[-_TAIL_LINES:])), _line(f"… {visible(turn.activity or 'Working')}", "dim"))
        if self._live is None:
            # Its own thread draws a few times a second, so a burst of deltas costs no more than a slow one.
            self._live = Live(
                console=self._console,
                transient=True,
                refresh_per_second=8,
                redirect_stdout=False,
                redirect_stderr=False,
                vertical_overflow="crop",
            )
            self._live.start()
        self._live.update(shown)


def _depth(turn: Turn, block: Block) -> int:
    depth, seen = 0, {block.key}
    while block.parent is not None and block.parent not in seen:
        seen.add(block.parent)
        depth += 1
        above = turn.block(block.parent)
        if above is None:
            break
        block = above
    return depth


def _line(text: str, style: str) -> RenderableType:
    """Text as it is: rich must not read `[bold]` in it."""
    from rich.text import Text as Line

    return Line(text, style=style)


def _markdown(source: str) -> RenderableType:
    from markdown_it import MarkdownIt
    from rich.markdown import Markdown

    drawn = Markdown("", code_theme="ansi_dark", hyperlinks=False)
    # rich's own parser reads raw HTML and then drops it; text that a model wrote must not vanish.
    drawn.parsed = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).parse(source)
    return drawn
