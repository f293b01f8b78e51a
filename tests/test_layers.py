"""Data flows downhill: a layer imports only from layers with a lower number, and never from its neighbours."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "claude_nb"

LAYERS = {
    "errors": 0,
    "protocol": 0,
    "sessions": 1,
    "conversation": 1,
    "engine": 2,
    "cassette": 2,
    "render": 2,
    "widgets": 3,
    "kernel": 3,
    "chat": 4,
    "questions": 4,
    "ask": 4,
    "ledger": 4,
    "rewinder": 4,
    "magics": 5,
    "here": 5,
    "cli": 5,
    "doctor": 5,
    "demo": 5,
    "testing": 5,
    "api": 6,
    "types": 7,
}
# Rooms that share a number but not a wall: errors are the words of the protocol, and the command starts the demo,
# whose model is also the kit for users' tests. A chat hosts its questions, a rewind moves a chat.
NEIGHBOURS = {
    ("chat", "questions"),
    ("protocol", "errors"),
    ("cli", "demo"),
    ("cli", "doctor"),
    ("testing", "demo"),
    ("rewinder", "chat"),
    ("here", "magics"),
}
# No IO and no event loop here.
PURE = ("protocol", "conversation", "render")
IMPURE = {"anyio", "asyncio", "trio", "subprocess", "socket", "threading", "IPython", "ipykernel", "anywidget"}

FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent != PACKAGE or path.stem in LAYERS]


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path, *, late: bool) -> Iterator[str]:
    """Dotted names of what the file imports; without `late`, only what is imported when it is."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if late else _eager(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(path.relative_to(PACKAGE.parent).parts[: -node.level]) if node.level else []
            name = ".".join([*base, *([node.module] if node.module else [])])
            yield name
            yield from (f"{name}.{alias.name}" for alias in node.names)


def _eager(tree: ast.Module) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        typing_only = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or typing_only:
            continue
        yield node
        waiting.extend(ast.iter_child_nodes(node))


def rooms_imported(path: Path) -> set[str]:
    names = (name.split(".") for name in imports(path, late=True) if name.startswith("claude_nb."))
    return {parts[1] for parts in names} & LAYERS.keys()


def test_every_room_has_a_layer() -> None:
    found = {room(path) for path in PACKAGE.rglob("*.py")} - {"__init__", "__main__"}
    assert found <= LAYERS.keys()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_from_layers_below_its_own(path: Path) -> None:
    here = room(path)
    uphill = {
        other
        for other in rooms_imported(path) - {here}
        if LAYERS[other] >= LAYERS[here] and (here, other) not in NEIGHBOURS
    }
    assert not uphill


@pytest.mark.parametrize("path", [p for p in FILES if room(p) in PURE], ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_pure_room_does_no_io(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(path, late=True)} & IMPURE
