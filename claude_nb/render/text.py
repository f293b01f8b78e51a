"""Untrusted text made fit to be shown: cleaned, made visible, escaped, counted.

Above: everything in `render`. Below: the standard library. Pure functions from text to text.
"""

from __future__ import annotations

import html
import re
import unicodedata

# Escape sequences of terminals: CSI, OSC and its kin (ended by BEL or ST), then any other two-character escape.
# None reaches over a line's end, so cleaning line by line and cleaning the whole give the same.
_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# Candidates for `visible`; a character class is far cheaper than asking unicodedata about every letter.
_MAYBE_HIDDEN = re.compile(r"[^\t\n\x20-\x7e\xa1-\xac\xae-\u034e\u0350-\u05ff\u4e00-\u9fff\uac00-\ud7a3]")
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs"})
# Letters and marks that draw nothing: fillers, the braille blank, the grapheme joiner, variation selectors.
_BLANK = re.compile(r"[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0e\U000e0100-\U000e01ef]")
# Within a line, and before or behind all of it (where a deep indentation is still one).
_PADDING = re.compile(r"(?<=[^ \t\n])[ \t]{40,}(?=[^ \t\n])|(?<![ \t])(?:[ \t]{100,}|\t{13,})")
_EMPTY_LINES = re.compile(r"(?<![^\n])(?:[ \t]*\n){4,}")
_PATH_BLANK = re.compile(r"[\t\n]|^ +| +$|  +")
_TEX_START = re.compile(r"[\\$]")


def clean(text: str) -> str:
    """Prose without terminal escapes, control characters and lone surrogates (which no wire can carry).

    Line ends become `\\n`. Right-to-left marks stay: they belong to many languages.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _SURROGATE.sub("\ufffd", _CONTROL.sub("", strip_escapes(text)))


def strip_escapes(text: str) -> str:
    """`text` without terminal escape sequences."""
    return _ESCAPE_SEQUENCE.sub("", text)


def screen(text: str) -> str:
    """What a terminal would show of a program's output: colours gone, lines redrawn with `\\r` in their last state."""
    lines = strip_escapes(text).split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines).rstrip()


def visible(text: str) -> str:
    r"""`text` with every character that cannot be seen written as an escape, for what a person decides on.

    Control and zero-width characters, direction overrides, odd spaces and fillers become `\x1b`, `\u202e` and the
    like; forty or more blanks inside a line and four or more empty lines, which could push what follows out of sight,
    become their number.
    """
    text = _EMPTY_LINES.sub(lambda m: empty_lines(m[0].count("\n")) + "\n", text.replace("\r\n", "\n"))
    text = _PADDING.sub(lambda m: f" ⟨{len(m[0])} blanks⟩ ", text)
    return _MAYBE_HIDDEN.sub(_show, text)


def empty_lines(count: int) -> str:
    """What stands for that many empty lines."""
    return f"⟨{plural(count, 'empty line')}⟩"


def visible_path(path: str) -> str:
    r"""`path` in one line, and no other path looks the same: line ends, and blanks where they mislead, are escapes."""
    return visible(_PATH_BLANK.sub(lambda m: "".join(f"\\x{ord(char):02x}" for char in m[0]), path))


def _show(match: re.Match[str]) -> str:
    char = match[0]
    if char == "\u3000":  # the ideographic space is wide, and at home in Chinese and Japanese text
        return char
    if unicodedata.category(char) not in _HIDDEN_CATEGORIES and not _BLANK.match(char):
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def escape(text: str) -> str:
    """Text for an HTML element or a double-quoted attribute."""
    return html.escape(text, quote=True)


def escape_prose(text: str) -> str:
    r"""Text for an HTML element that the front end's MathJax may scan: `$` and `\` stand alone and start nothing.

    MathJax never pairs delimiters across elements, so a `<span>` around each is enough, with or without MathJax.
    """
    return _TEX_START.sub(r"<span>\g<0></span>", escape(text))


def one_line(text: str, limit: int = 160) -> str:
    """The text in one line of at most `limit` characters, an ellipsis for what is cut."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """`1 line`, `1,204 lines`."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def tokens(count: int) -> str:
    """A number of tokens for people: `812`, `45.2K`, `1.3M`."""
    if count < 1000:
        return str(count)
    if count < 999_950:
        return f"{count / 1000:.1f}K"
    return f"{count / 1_000_000:.1f}M"


def seconds(value: float) -> str:
    """A duration in seconds for people: `0.4s`, `12.3s`, `2m 05s`, `1h 02m`."""
    if value < 59.95:
        return f"{value:.1f}s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02d}s"
    return f"{minutes // 60}h {minutes % 60:02d}m"


def dollars(value: float) -> str:
    """Money for people: `$0.0842` below a dollar, `$3.20` above."""
    return f"${value:.4f}" if abs(value) < 1 else f"${value:,.2f}"
