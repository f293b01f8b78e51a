"""`{{ name }}` in a prompt becomes the notebook's value.

Layer 3, pure (apart from what the user's own properties do). Below: `values`. Above: the magics; `--raw` skips it.

Between double braces stands a path: a name, attributes and constant subscripts, with a format spec if wanted:
`{{ df }}`, `{{ df.shape }}`, `{{ d["k"][-1] }}`, `{{ x:.2f }}`. Calls and operators are not evaluated. Whatever is not
such a path, or names something the notebook does not have, stays in the prompt as it is. Single and triple braces, and
doubled ones right after a TeX command, are never touched, so JSON, LaTeX and code can be pasted; inserted values are
not scanned again. Code fences in a prompt are no exception: what stands in double braces there is replaced as well.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from claude_nb.engine.picture import Block
from claude_nb.kernel.values import DEFAULT, Limits, capped, cut, show_value

#: Exactly two braces open a reference; three are somebody else's syntax.
OPENING = re.compile(r"(?<!\{)\{\{(?!\{)")
#: Doubled braces right after a TeX command, or after another such argument of it, are TeX's own grouping.
TEX_ARGUMENT = re.compile(r"\\[A-Za-z]+\*?(?:\{\{[^{}]*\}\})*\Z")
REFUSED = "only names, attributes and constant subscripts are filled in; compute it in a cell first"


@dataclass(frozen=True, slots=True)
class Inserted:
    """What took the place of one reference: the path as written, the value's type, and how it was shown."""

    path: str
    type: str
    kind: Literal["text", "table", "image"]
    chars: int


@dataclass(slots=True)
class Prompt:
    """A prompt ready to send. `content` is a string, or Messages API blocks if a picture is in it."""

    content: str | list[Block]
    notices: list[str] = field(default_factory=list)
    inserted: list[Inserted] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reference:
    """A parsed path: `steps` lead from the name to the value, each raising what the user's object raises."""

    source: str
    name: str
    steps: tuple[Callable[[Any], Any], ...] = ()
    spec: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Python between the braces, but not a path. `names` are the names it mentions."""

    source: str
    names: frozenset[str]


def interpolate(text: str, namespace: Mapping[str, Any], *, limits: Limits = DEFAULT) -> Prompt:
    """Fill the references of `text` in from `namespace` (IPython's `user_ns`). Raises nothing.

    What cannot be filled in stays as written and gets a notice, and so does a value that `limits` cut.
    """
    prompt = Prompt("")
    parts: list[str | Block] = []
    for piece in _pieces(text):
        if isinstance(piece, str):
            parts.append(piece)
            continue
        shown = _fill(piece, namespace, prompt, limits)
        parts.append(f"{{{{{piece.source}}}}}" if shown is None else shown)
    prompt.notices = list(dict.fromkeys(prompt.notices))
    prompt.content = _content(parts)
    return prompt


def parse(source: str) -> Reference | Refusal | None:
    """What stands between double braces: a path, other Python, or (None) something else altogether."""
    expression, spec = _split_spec(source)
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None
    steps: list[Callable[[Any], Any]] = []
    node = tree
    try:
        while not isinstance(node, ast.Name):
            match node:
                case ast.Attribute(value=owner, attr=attribute):
                    steps.append(operator.attrgetter(attribute))
                case ast.Subscript(value=owner, slice=index):
                    steps.append(operator.itemgetter(_constant(index)))
                case _:
                    raise ValueError(REFUSED)
            node = owner
    except (ValueError, TypeError):
        names = frozenset(part.id for part in ast.walk(tree) if isinstance(part, ast.Name))
        return Refusal(source, names)
    return Reference(source, node.id, tuple(reversed(steps)), spec)


def resolve(reference: Reference, namespace: Mapping[str, Any]) -> Any:
    """The value a path leads to. KeyError if the name is unknown, otherwise what the objects on the way raise."""
    value = namespace[reference.name]
    for step in reference.steps:
        value = step(value)
    return value


def _fill(
    piece: Reference | Refusal, namespace: Mapping[str, Any], prompt: Prompt, limits: Limits
) -> str | Block | None:
    written = f"{{{{{piece.source}}}}}"
    if isinstance(piece, Refusal):
        if piece.names and piece.names <= namespace.keys():  # else it is more likely pasted text than a mistake
            prompt.notices.append(f"{written} stays as it is: {REFUSED}")
        return None
    if piece.name not in namespace:
        prompt.notices.append(f"{written} stays as it is: the notebook has no `{piece.name}`")
        return None
    try:
        value = resolve(piece, namespace)
        shown = show_value(value, limits) if piece.spec is None else capped(format(value, piece.spec), limits)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        prompt.notices.append(f"{written} stays as it is: {cut(reason, 200)}")
        return None
    if shown.whole:
        prompt.notices.append(f"{written} was cut: {limits.chars:,} of {shown.whole:,} characters were sent")
    path = piece.source.strip()
    prompt.inserted.append(Inserted(path, type(value).__name__, shown.kind, len(shown.text)))
    if shown.image is not None:
        return shown.image
    return f"\n{shown.text}\n" if shown.kind == "table" else shown.text


def _pieces(text: str) -> Iterator[str | Reference | Refusal]:
    """The prompt cut up: literal text, and what stands between double braces and is Python."""
    at = 0
    for opening in OPENING.finditer(text):
        if opening.start() < at:
            continue  # inside of a reference already taken
        line_begin = text.rfind("\n", 0, opening.start()) + 1
        if TEX_ARGUMENT.search(text, line_begin, opening.start()):
            continue
        line_end = text.find("\n", opening.end())
        line_end = len(text) if line_end < 0 else line_end
        close = text.find("}}", opening.end(), line_end)
        while close >= 0:  # a later pair closes it if the first one stands in a string: {{ d["}}"] }}
            found = parse(text[opening.end() : close])
            if found is not None:
                yield text[at : opening.start()]
                yield found
                at = close + 2
                break
            close = text.find("}}", close + 1, line_end)
    yield text[at:]


def _split_spec(source: str) -> tuple[str, str | None]:
    """Split at the first colon that is outside of brackets and quotes."""
    depth, quote = 0, ""
    for at, char in enumerate(source):
        if quote:
            quote = "" if char == quote and source[at - 1] != "\\" else quote
        elif char in "\"'":
            quote = char
        elif char in "[(":
            depth += 1
        elif char in "])":
            depth -= 1
        elif char == ":" and not depth:
            return source[:at], source[at + 1 :].strip()
    return source, None


def _constant(node: ast.expr) -> Any:
    """The value of a subscript: numbers, strings, and lists, tuples and slices of them. ValueError for the rest."""
    if isinstance(node, ast.Slice):
        return slice(*(None if part is None else _constant(part) for part in (node.lower, node.upper, node.step)))
    if isinstance(node, ast.Tuple):
        return tuple(_constant(part) for part in node.elts)
    return ast.literal_eval(node)


def _content(parts: list[str | Block]) -> str | list[Block]:
    if all(isinstance(part, str) for part in parts):
        return "".join(str(part) for part in parts)
    blocks: list[Block] = []
    text = ""
    for part in [*parts, None]:
        if isinstance(part, str):
            text += part
            continue
        if text.strip():  # the API refuses blank text blocks
            blocks.append({"type": "text", "text": text})
        text = ""
        if part is not None:
            blocks.append(part)
    return blocks
