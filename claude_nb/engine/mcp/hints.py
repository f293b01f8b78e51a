"""Python types as JSON Schema, and the validators that go with them.

Layer 2, pure. Above: `schema` and `signature`. Below: pydantic (its classes late: building validators is its own cost).
"""

from __future__ import annotations

import contextlib
import inspect
import sys
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NotRequired, Required, Union, get_args, get_origin

from typing_extensions import TypedDict, is_typeddict

from claude_nb.errors import OptionsError

#: There is no default (None may well be one).
MISSING: Any = inspect.Parameter.empty


@dataclass(frozen=True)
class Parameter:
    """One named argument: `hint` is its type; `default` and `description` are told to the model."""

    name: str
    hint: Any
    required: bool = True
    default: Any = MISSING
    description: str | None = None


def adapter_of(hint: Any, name: str, otherwise: Any = MISSING) -> Any:
    """The pydantic TypeAdapter of a type. One that has no JSON form is read as `otherwise`, or raises OptionsError
    that names it as `name`."""
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUserError

    try:
        adapter = TypeAdapter(_described(_modern(hint)))
        adapter.json_schema()
    except (PydanticUserError, PydanticInvalidForJsonSchema, NameError) as error:
        if otherwise is not MISSING:
            return TypeAdapter(otherwise)
        raise OptionsError(
            f"{name} has the type {getattr(hint, '__name__', hint)}, which the model cannot write as JSON. Use plain "
            "types (str, int, list, a dataclass, ...), or give the tool an input_schema."
        ) from error
    return adapter


def object_schema(parameters: Iterable[Parameter], adapters: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Schema of an object with these parameters; `adapters` are theirs, by name."""
    from pydantic import TypeAdapter

    schemas, definitions = TypeAdapter.json_schemas(
        [(name, "validation", adapter) for name, adapter in adapters.items()], schema_generator=_generator()
    )
    properties = {p.name: {**schemas[(p.name, "validation")], **_remarks(p)} for p in parameters}
    required = [p.name for p in parameters if p.required]
    return {"type": "object", "properties": properties, **({"required": required} if required else {}), **definitions}


def instance_schema(adapter: Any) -> dict[str, Any]:
    """JSON Schema of a model or dataclass, from its adapter."""
    schema: dict[str, Any] = adapter.json_schema(schema_generator=_generator())
    # A model that refers to itself comes as a reference; the root of a tool's schema must say "object" itself.
    reference = schema.pop("$ref", None)
    return {**schema["$defs"][reference.rpartition("/")[2]], **schema} if reference else schema


def entries_of(typed_dict: Any) -> list[Parameter]:
    """The entries of a TypedDict.

    Required and NotRequired are read here: under `from __future__ import annotations` `__required_keys__` misses them.
    """
    entries = []
    for name, written in typing.get_type_hints(typed_dict, include_extras=True).items():
        wrapped = get_origin(written) in (Required, NotRequired)
        required = get_origin(written) is Required if wrapped else name in typed_dict.__required_keys__
        entries.append(Parameter(name, get_args(written)[0] if wrapped else written, required))
    return entries


def _remarks(parameter: Parameter) -> dict[str, Any]:
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    remarks: dict[str, Any] = {"description": parameter.description} if parameter.description else {}
    if parameter.default is not MISSING and parameter.default is not None:
        # A default without a JSON form is the function's own affair.
        with contextlib.suppress(PydanticSerializationError):
            remarks["default"] = to_jsonable_python(parameter.default)
    return remarks


def _described(hint: Any) -> Any:
    """`Annotated[T, "words"]` means a description to users (and the official SDK); pydantic wants a Field."""
    if get_origin(hint) is not Annotated:
        return hint
    from pydantic import Field

    kind, *notes = get_args(hint)
    notes = [Field(description=note) if isinstance(note, str) else note for note in notes]
    return Annotated[(kind, *notes)]


def _modern(hint: Any) -> Any:
    """The same type with TypedDicts that pydantic reads: before Python 3.12 it wants those of typing_extensions."""
    if sys.version_info >= (3, 12):
        return hint
    if is_typeddict(hint):
        entries = {e.name: (Required if e.required else NotRequired)[_modern(e.hint)] for e in entries_of(hint)}
        return TypedDict(hint.__name__, entries)  # type: ignore[operator]
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _described(Annotated[(_modern(args[0]), *args[1:])])
    if origin in (Union, types.UnionType):
        return Union[tuple(map(_modern, args))]  # noqa: UP007 - made of values
    if origin in (list, dict, tuple, set, frozenset):
        return origin[tuple(map(_modern, args))]
    return hint


def _generator() -> Any:
    from pydantic.json_schema import GenerateJsonSchema

    class Untitled(GenerateJsonSchema):
        """Without the titles that pydantic makes of names: the model reads each of them, and learns nothing."""

        def field_title_should_be_set(self, schema: Any) -> bool:
            return False

    return Untitled
