"""Tools without a server: what the model is told of a function, what it may send, and what it gets back."""

import asyncio
import base64
import contextvars
import functools
import inspect
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal, NotRequired, Optional, TypedDict

import anyio
import pytest
from pydantic import BaseModel, Field

from claude_nb.engine.mcp.result import to_content, to_result
from claude_nb.engine.mcp.signature import read_docstring
from claude_nb.engine.tool import SdkMcpTool, ToolAnnotations, tool
from claude_nb.errors import OptionsError

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Point(TypedDict):
    x: int
    y: NotRequired[int]


class Order(BaseModel):
    item: str = Field(description="what to buy")
    count: int = 1


@dataclass
class Box:
    width: int
    depth: int = 1


class Node(BaseModel):
    name: str
    children: list["Node"] = []


def call(made: SdkMcpTool[Any], /, **arguments: Any) -> dict[str, Any]:
    return anyio.run(functools.partial(made.call, arguments))


def text(result: dict[str, Any]) -> str:
    (piece,) = result["content"]
    assert piece["type"] == "text"
    return str(piece["text"])


# -- from a signature -----------------------------------------------------------------------------------------------


def test_a_bare_tool_takes_its_words_and_parameters_from_the_function() -> None:
    @tool
    def search(
        word: str,
        limit: int = 10,
        kind: Literal["a", "b"] = "a",
        colour: Optional[Colour] = None,  # noqa: UP045 - users write both
        near: Annotated[list[Point], "where to look"] = [],  # noqa: B006
        *,
        exact: bool | None = None,
        extra: dict[str, float] | None = None,
    ) -> str:
        """Find a word.

        Args:
            word: the word,
                in any case
            limit (int): how many

        Returns:
            The places.
        """
        return word

    assert search.name == "search"
    assert search.description == "Find a word.\n\nReturns:\n    The places."
    properties = search.schema["properties"]
    assert search.schema["type"] == "object"
    assert search.schema["required"] == ["word"]
    assert search.schema["additionalProperties"] is False
    assert properties["word"] == {"type": "string", "description": "the word, in any case"}
    assert properties["limit"] == {"type": "integer", "description": "how many", "default": 10}
    assert properties["kind"]["enum"] == ["a", "b"]
    assert properties["near"]["description"] == "where to look"
    assert properties["near"]["items"] == {"$ref": "#/$defs/Point"}
    assert search.schema["$defs"]["Point"]["required"] == ["x"]
    assert search.schema["$defs"]["Colour"]["enum"] == ["red", "blue"]


def test_a_bare_tool_stays_the_function_it_was() -> None:
    def double(number: int) -> int:
        """Twice."""
        return 2 * number

    made = tool(double)

    assert isinstance(made, SdkMcpTool)
    assert made(4) == made(number=4) == 8
    assert made.__name__ == "double"
    assert made.__doc__ == "Twice."
    assert inspect.signature(made) == inspect.signature(double)
    assert tool(made).handler is double


def test_names_and_words_can_be_given() -> None:
    made = tool(name="twice", description="Doubles.", annotations=ToolAnnotations(read_only_hint=True))(lambda n: 2 * n)

    assert made.definition() == {
        "name": "twice",
        "description": "Doubles.",
        "inputSchema": {"type": "object", "properties": {"n": {}}, "required": ["n"], "additionalProperties": False},
        "annotations": {"readOnlyHint": True},
    }


def test_a_function_without_a_docstring_is_described_by_its_signature() -> None:
    @tool
    def area(width: float, height: float = 1.0) -> float:
        return width * height

    assert area.description == "area(width: float, height: float = 1.0) -> float"


def test_arguments_arrive_as_the_types_the_function_asked_for() -> None:
    seen: list[Any] = []

    @tool
    def take(colour: Colour, order: Order, box: Box, number: float, points: list[Point]) -> None:
        seen.extend([colour, order, box, number, points])

    result = call(take, colour="red", order={"item": "tea"}, box={"width": 2}, number="1.5", points=[{"x": 1}])

    assert "isError" not in result
    assert seen == [Colour.RED, Order(item="tea"), Box(2), 1.5, [{"x": 1}]]


def test_parameters_may_have_names_that_models_use_themselves() -> None:
    @tool
    def odd(json: str, model_config: int, copy: bool, _private: int = 1) -> list[Any]:
        return [json, model_config, copy, _private]

    assert text(call(odd, json="j", model_config=2, copy=False)) == '["j",2,false,1]'


def test_a_function_with_free_keywords_takes_any_name() -> None:
    @tool
    def free(a: int, **more: Any) -> dict[str, Any]:
        return {"a": a, **more}

    assert "additionalProperties" not in free.schema
    assert json.loads(text(call(free, a=1, b="x"))) == {"a": 1, "b": "x"}


def test_a_bound_method_is_a_tool() -> None:
    class Counter:
        total = 0

        def count(self, by: int = 1) -> int:
            """Count on."""
            self.total += by
            return self.total

    counter = Counter()
    assert text(call(tool(counter.count), by=3)) == "3"
    assert counter.total == 3


def positional(a: int, /) -> int:
    return a


def variadic(*words: str) -> str:
    return "".join(words)


def unwritable(job: threading.Thread) -> None: ...


def unresolved(a: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821


class Thing:
    def method(self, a: int) -> int:
        return a


@pytest.mark.parametrize(
    ("fn", "reason"),
    [
        (positional, "no keyword"),
        (variadic, "no keyword"),
        (unwritable, "Thread"),
        (unresolved, "Nowhere"),
        (Thing.method, "bound to its object"),
        (lambda: 1, "needs a name"),
    ],
)
def test_a_function_the_model_could_not_call_is_refused_with_the_reason(fn: Callable[..., Any], reason: str) -> None:
    with pytest.raises(OptionsError, match=reason):
        tool(fn)


@pytest.mark.parametrize(
    "doc",
    [
        "Do it.\n\nArgs:\n    a: the first\n        one\n    b (int, optional): the second\n\nMore.",
        "Do it.\n\n:param int a: the first\n    one\n:param b: the second\n\nMore.",
        "Do it.\n\nMore.\n\nParameters\n----------\na : int\n    the first\n    one\nb\n    the second\n",
    ],
    ids=["google", "sphinx", "numpy"],
)
def test_parameters_are_read_from_docstrings(doc: str) -> None:
    assert read_docstring(doc) == ("Do it.\n\nMore.", {"a": "the first one", "b": "the second"})


def test_numpy_sections_after_the_parameters_stay_in_the_text() -> None:
    doc = "Do.\n\nParameters\n----------\na, b : int\n    numbers\n\nReturns\n-------\nint\n    the sum"

    assert read_docstring(doc) == ("Do.\n\nReturns\n-------\nint\n    the sum", {"a": "numbers", "b": "numbers"})


# -- from a schema --------------------------------------------------------------------------------------------------


def test_a_dict_of_types_needs_all_its_names_and_hands_them_on_as_they_came() -> None:
    @tool("add", "Add numbers", {"a": float, "b": Annotated[float, "the other"], "note": threading.Thread})
    async def add(args: dict[str, Any]) -> dict[str, Any]:
        return {"content": [{"type": "text", "text": repr(args)}]}

    assert add.schema == {
        "type": "object",
        "properties": {
            "a": {"type": "number"},
            "b": {"type": "number", "description": "the other"},
            "note": {"type": "string"},
        },
        "required": ["a", "b", "note"],
    }
    assert text(call(add, a=1, b=2.5, note="x")) == "{'a': 1, 'b': 2.5, 'note': 'x'}"


def test_a_typed_dict_says_what_is_required() -> None:
    @tool("move", "Move", Point)
    async def move(args: Point) -> str:
        return f"to {args['x']}, {args.get('y')}"

    assert move.schema["required"] == ["x"]
    assert text(call(move, x=1)) == "to 1, None"
    assert call(move, y=1)["isError"]


def test_a_parameter_may_be_called_type_or_properties() -> None:
    made = tool("f", "F", {"type": str, "properties": dict})(lambda args: args["type"])

    assert made.schema["properties"]["type"] == {"type": "string"}
    assert text(call(made, type="t", properties={})) == "t"


def test_json_schema_is_kept_and_enforced() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]}
    made = tool("f", "F", schema)(lambda args: args["n"])

    assert made.schema == schema
    assert text(call(made, n=3)) == "3"
    assert "n: 2 is less than the minimum of 3" in text(call(made, n=2))


@pytest.mark.parametrize(
    ("model", "given", "expected"), [(Order, {"item": "x"}, Order(item="x")), (Box, {"width": 2}, Box(2))]
)
def test_a_model_or_dataclass_arrives_as_an_instance(model: type, given: dict[str, Any], expected: Any) -> None:
    seen = []
    made = tool("take", "Take", model)(seen.append)

    assert made.schema["type"] == "object"
    call(made, **given)
    assert seen == [expected]
    assert call(made)["isError"]


def test_a_model_that_holds_itself_is_still_an_object_at_the_root() -> None:
    made = tool("tree", "Tree", Node)(lambda node: node.children[0].name)

    assert made.schema["type"] == "object"
    assert text(call(made, name="a", children=[{"name": "b"}])) == "b"


def test_a_dict_of_json_schemas_is_the_properties_of_one() -> None:
    made = tool("f", "F", {"n": {"type": "integer", "maximum": 5}})(lambda args: args["n"])

    assert made.schema["required"] == ["n"]
    assert text(call(made, n=5)) == "5"
    assert "n: 6 is greater" in text(call(made, n=6))


def test_json_schema_that_is_none_is_refused() -> None:
    with pytest.raises(OptionsError, match=r"properties\.n\.type"):
        tool("f", "F", {"type": "object", "properties": {"n": {"type": "number of legs"}}})(lambda args: args)


def test_a_partial_and_a_decorated_function_are_the_functions_inside() -> None:
    def scale(number: float, by: float = 1.0) -> float:
        """Scale."""
        raise ValueError(f"{number} by {by}")

    @functools.wraps(scale)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return scale(*args, **kwargs)

    for fn, by in ((functools.partial(scale, by=2.0), 2.0), (wrapped, 1.0)):
        made = tool(fn)
        assert (made.name, made.description) == ("scale", "Scale.")
        assert made.schema["properties"]["by"] == {"type": "number", "default": by}
        lines = text(call(made, number=1)).splitlines()
        assert lines[0] == f"ValueError: 1.0 by {by}"
        assert len(lines) == 3


def test_an_object_that_can_be_called_is_a_tool_of_its_call() -> None:
    class Greeter:
        """Greets."""

        async def __call__(self, who: str) -> str:
            return f"Hello {who}"

    made = tool(Greeter())

    assert (made.name, made.description) == ("Greeter", "Greets.")
    assert text(call(made, who="Ada")) == "Hello Ada"


def test_a_schema_that_says_nothing_is_refused() -> None:
    with pytest.raises(OptionsError, match="TypedDict"):
        tool("f", "F", int)(lambda args: args)


# -- calls ----------------------------------------------------------------------------------------------------------


def test_bad_arguments_are_told_all_at_once() -> None:
    @tool
    def add(a: int, b: int) -> int:
        return a + b

    result = call(add, a="one", c=3)

    assert result["isError"]
    message = text(result)
    assert message.startswith("Invalid arguments for add: ")
    for fault in ("b: missing", "a: Input should be a valid integer", "c: no such parameter"):
        assert fault in message


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"n": "3", "day": "2026-01-02", "colour": "red"}, "n: Input should be a valid integer"),
        ({"n": True, "day": "2026-01-02", "colour": "red"}, "n: Input should be a valid integer"),
        ({"n": 3, "day": "soon", "colour": "red"}, "day: Input should be a valid date"),
        ({"n": 3, "day": "2026-01-02", "colour": "grey"}, "colour: Input should be 'red' or 'blue'"),
        ({"n": 3, "day": "2026-01-02"}, "colour: missing"),
    ],
)
def test_types_are_checked_as_json_and_arguments_left_as_they_are(arguments: dict[str, Any], fault: str) -> None:
    seen: list[Any] = []
    made = tool("f", "F", {"n": int, "day": date, "colour": Colour})(seen.append)

    assert fault in text(call(made, **arguments))
    assert seen == []
    good = {"n": 3, "day": "2026-01-02", "colour": "red", "other": None}
    call(made, **good)
    assert seen == [good]


def test_what_a_tool_awaits_may_be_cancelled_without_losing_the_call() -> None:
    @tool
    async def give_up() -> None:
        job = asyncio.ensure_future(asyncio.sleep(60))
        job.cancel()
        await job

    result = call(give_up)

    assert result["isError"]
    assert "CancelledError" in text(result)


def deeper(depth: int) -> None:
    if depth:
        deeper(depth - 1)
    raise LookupError("nothing there")


@pytest.mark.parametrize("is_async", [False, True])
def test_an_exception_comes_back_with_the_lines_of_the_users_code_only(is_async: bool) -> None:
    def broken() -> None:
        deeper(10)

    async def broken_async() -> None:
        deeper(10)

    result = call(tool(name="broken")(broken_async if is_async else broken))

    assert result["isError"]
    lines = text(result).splitlines()
    assert lines[0] == "LookupError: nothing there"
    assert lines[2].endswith(": deeper(10)")
    assert lines[-1].endswith(': raise LookupError("nothing there")')
    assert len(lines) == 5


def test_a_tool_that_exits_ends_its_call_and_nothing_else() -> None:
    assert "SystemExit" in text(call(tool(name="leave")(lambda: exit(3))))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_plain_functions_leave_the_loop_free(backend: str) -> None:
    started, go_on = threading.Event(), threading.Event()

    @tool
    def wait() -> str:
        started.set()
        assert go_on.wait(10)
        return threading.current_thread().name

    async def main() -> None:
        async def release() -> None:
            assert await anyio.to_thread.run_sync(started.wait, 10)
            go_on.set()

        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(release)
                result = await wait.call({})
        assert text(result) != threading.current_thread().name

    anyio.run(main, backend=backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_call_does_not_wait_for_its_thread(backend: str) -> None:
    started, go_on = threading.Event(), threading.Event()

    @tool
    def hang() -> None:
        started.set()
        assert go_on.wait(10)

    async def main() -> None:
        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(hang.call, {})
                assert await anyio.to_thread.run_sync(started.wait, 5)
                tasks.cancel_scope.cancel()

    try:
        anyio.run(main, backend=backend)
    finally:
        go_on.set()


def test_the_host_may_run_functions_itself() -> None:
    ran = []

    async def runner(fn: Callable[..., Any], kwargs: Any) -> Any:
        ran.append((fn, dict(kwargs)))
        return fn(**kwargs)

    bare = tool(name="bare")(lambda a: a + 1)
    official = tool("official", "O", {"a": int})(lambda args: args["a"] + 2)

    async def main() -> list[dict[str, Any]]:
        return [await made.call({"a": 1}, runner=runner) for made in (bare, official)]

    assert list(map(text, anyio.run(main))) == ["2", "3"]
    assert ran[0] == (bare.handler, {"a": 1})
    assert len(ran) == 2


def test_an_object_with_an_async_call_is_awaited() -> None:
    class Asker:
        __name__ = "asker"

        async def __call__(self, args: dict[str, Any]) -> str:
            return "asked"

    assert text(call(tool("ask", "Ask", {})(Asker()))) == "asked"


def test_a_call_knows_the_context_of_its_caller() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
    made = tool(name="look")(lambda: variable.get())

    async def main() -> dict[str, Any]:
        variable.set("set")
        return await made.call({})

    assert text(anyio.run(main)) == "set"


def test_annotations_are_taken_in_either_spelling_and_size_travels_beside_them() -> None:
    for annotations in (
        ToolAnnotations(read_only_hint=True, max_result_size_chars=9),
        ToolAnnotations(readOnlyHint=True, maxResultSizeChars=9),  # type: ignore[call-arg]
        {"readOnlyHint": True, "maxResultSizeChars": 9},
    ):
        entry = tool("f", "F", {}, annotations)(lambda args: None).definition()
        assert entry["annotations"] == {"readOnlyHint": True}
        assert entry["_meta"] == {"anthropic/maxResultSizeChars": 9}


# -- results --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("words", "words"),
        (None, "(no result)"),
        (3, "3"),
        (True, "true"),
        (1.5, "1.5"),
        ({"a": [1, None], "é": float("nan")}, '{"a":[1,null],"é":NaN}'),
        ([1, (2, 3)], "[1,[2,3]]"),
        (Order(item="tea"), '{"item":"tea","count":1}'),
        (Box(1, 2), '{"width":1,"depth":2}'),
        ({"colour": Colour.RED}, '{"colour":"red"}'),
        (Colour.RED, "<Colour.RED: 'red'>"),
        (b"no picture", "b'no picture'"),
        ({"key": object}, '{"key":"<class \'object\'>"}'),
    ],
)
def test_values_become_text(value: Any, expected: str) -> None:
    assert to_content(value) == [{"type": "text", "text": expected}]


def test_a_value_that_holds_itself_is_shown_anyway() -> None:
    loop: list[Any] = []
    loop.append(loop)

    assert to_content(loop) == [{"type": "text", "text": "[[...]]"}]


def test_pictures_and_sound_are_recognised() -> None:
    import matplotlib
    from PIL import Image

    matplotlib.use("agg")
    from matplotlib.figure import Figure

    class Drawn:
        def _repr_png_(self) -> bytes:
            return PNG

    encoded = base64.b64encode(PNG).decode()
    assert to_content(PNG) == [{"type": "image", "data": encoded, "mimeType": "image/png"}]
    assert to_content(Drawn()) == to_content(PNG)
    for drawing in (Image.new("RGB", (2, 2)), Figure(figsize=(1, 1))):
        (piece,) = to_content(drawing)
        assert piece["mimeType"] == "image/png"
        assert base64.b64decode(piece["data"]).startswith(b"\x89PNG")
    (sound,) = to_content(b"RIFF\x24\0\0\0WAVEfmt ")
    assert (sound["type"], sound["mimeType"]) == ("audio", "audio/wav")


def test_a_list_with_a_picture_is_a_piece_each_and_a_plain_list_is_data() -> None:
    assert [piece["type"] for piece in to_content(["look:", PNG, {"a": 1}])] == ["text", "image", "text"]
    assert to_content(["a", "b"]) == [{"type": "text", "text": '["a","b"]'}]


def test_numpy_is_data() -> None:
    import numpy

    assert to_content({"a": numpy.float64(1.5), "b": numpy.arange(3)}) == [
        {"type": "text", "text": '{"a":1.5,"b":[0,1,2]}'}
    ]


def test_mcp_content_passes_as_dicts_and_as_objects() -> None:
    from mcp import types

    link = {"type": "resource_link", "uri": "https://example.org/x", "name": "x"}
    resource = {"type": "resource", "resource": {"uri": "mem://a", "text": "t"}}
    assert to_content(link) == [link]
    assert to_content([resource, link]) == [resource, link]
    assert to_content(types.TextContent(type="text", text="t")) == [{"type": "text", "text": "t"}]
    whole = types.CallToolResult(content=[types.TextContent(type="text", text="no")], isError=True)
    assert to_result(whole) == {"content": [{"type": "text", "text": "no"}], "isError": True}


def test_the_official_result_form_passes_with_its_error_mark() -> None:
    content = [{"type": "text", "text": 5}, {"type": "image", "data": PNG, "mimeType": "image/png"}, "loose", {"a": 1}]

    result = to_result({"content": content, "is_error": True, "structuredContent": {"n": 1}})

    assert result["isError"]
    assert result["structuredContent"] == {"n": 1}
    assert [piece["type"] for piece in result["content"]] == ["text", "image", "text", "text"]
    assert result["content"][0]["text"] == "5"
    assert result["content"][1]["data"] == base64.b64encode(PNG).decode()
    assert result["content"][3]["text"] == '{"a":1}'


def test_an_image_block_of_the_messages_api_is_translated() -> None:
    block = {"type": "image", "source": {"type": "base64", "media_type": "image/gif", "data": "R0"}}

    assert to_content(block) == [{"type": "image", "data": "R0", "mimeType": "image/gif"}]


def test_the_host_presents_its_own_values_and_leaves_others() -> None:
    def present(value: Any) -> list[dict[str, Any]] | None:
        return [{"type": "text", "text": f"box of {value.width}"}] if isinstance(value, Box) else None

    assert to_content(Box(3), present) == [{"type": "text", "text": "box of 3"}]
    assert to_content("plain", present) == [{"type": "text", "text": "plain"}]
    assert [p["text"] for p in to_content([PNG, Box(4)], present) if p["type"] == "text"] == ["box of 4"]
    assert to_result({"content": [Box(5)]}, present)["content"] == [{"type": "text", "text": "box of 5"}]


def test_a_drawing_that_fails_is_the_tools_error() -> None:
    class Unfinished:
        def savefig(self, *args: Any, **kwargs: Any) -> None:
            raise RuntimeError("no canvas")

    assert "no canvas" in text(call(tool(name="draw")(Unfinished)))


def test_importing_tools_imports_neither_mcp_nor_jsonschema() -> None:
    code = "import sys, claude_nb.engine.tool; print([m for m in ('mcp', 'jsonschema') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=30, check=True)
    assert done.stdout.strip() == b"[]"


@pytest.mark.parametrize("given", [{}, {"input_schema": {"a": int, "b": int}}], ids=["signature", "schema"])
def test_a_tool_is_replaced_like_the_dataclass_it_was(given: dict[str, Any]) -> None:
    @tool(name="add", description="Add.", **given)
    def add(a: Any, b: int = 0) -> int:
        return (a["a"] + a["b"]) if isinstance(a, dict) else a + b

    other = replace(add, description="Add up.")
    assert (other.name, other.description, other.schema) == ("add", "Add up.", add.schema)
    for made in (add, other):
        assert anyio.run(made.call, {"a": 1, "b": 2})["content"][0]["text"] == "3"
    whole = replace(add, input_schema={"a": int, "b": int})
    assert anyio.run(whole.call, {"a": 1, "b": 2})["content"][0]["text"] == "3"
