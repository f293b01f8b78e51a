"""What a tool takes: from Python types or JSON Schema to one `Shape` that describes and checks arguments.

Layer 2, pure. Above: `signature` and `tool`. Below: pydantic, and jsonschema (late: slow to import). Facts: protocol
page 2.11 (the official Python SDK 0.2.186 takes a dict of name to type, a TypedDict, or full JSON Schema).
"""

from __future__ import annotations

import contextlib
import dataclasses
import inspect
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NotRequired, Required, Union, get_args, get_origin

from typing_extensions import TypedDict, is_typeddict

from claude_nb.errors import OptionsError

#: How many faults of one call are told; the model corrects them all at once and needs no longer list.
FAULTS = 5

#: There is no default (None may well be one).
MISSING: Any = inspect.Parameter.empty


class ArgumentsError(ValueError):
    """Arguments that a tool does not take; the message is meant for the model."""


@dataclass(frozen=True)
class Shape:
    """`schema` is what the model sees (JSON Schema of an object); `read` checks arguments and returns what the
    handler gets, or raises ArgumentsError."""

    schema: dict[str, Any]
    read: Callable[[dict[str, Any]], Any]


@dataclass(frozen=True)
class Parameter:
    """One named argument: `hint` is its type; `default` and `description` are told to the model."""

    name: str
    hint: Any
    required: bool = True
    default: Any = MISSING
    description: str | None = None


def shape_of(input_schema: Any) -> Shape:
    """The shape of a tool whose handler takes all arguments as one value.

    - a dict of name to type (all required; a value may also be a JSON Schema), or a TypedDict: checked, and handed on
      as they came;
    - JSON Schema of an object: the same;
    - a pydantic model or a dataclass: the handler gets an instance.

    Raises OptionsError for anything else.
    """
    if isinstance(input_schema, Mapping):
        if _is_json_schema(input_schema):
            return _checked({"type": "object", **input_schema})
        return _checked(_object(Parameter(name, hint) for name, hint in input_schema.items()))
    if is_typeddict(input_schema):
        return _checked(_object(_entries(input_schema)))
    if isinstance(input_schema, type) and (
        dataclasses.is_dataclass(input_schema) or hasattr(input_schema, "model_json_schema")
    ):
        return _instance(input_schema)
    raise OptionsError(
        f"input_schema={input_schema!r} says nothing about arguments: give a dict of name to type, a TypedDict, a "
        "pydantic model, a dataclass or JSON Schema."
    )


def shape_of_parameters(parameters: Iterable[Parameter], *, more: bool = False) -> Shape:
    """The shape of a function that takes keywords: `read` returns them converted to the parameters' types.

    Parameters left out stay out, so the function's own defaults apply. `more` lets unknown names through.
    Raises OptionsError for a type that has no JSON form.
    """
    by_name = {p.name: p for p in parameters}
    adapters = {p.name: _adapter(p.hint, p.name) for p in by_name.values()}
    schema = _object(by_name.values(), adapters)
    if not more:
        schema["additionalProperties"] = False

    def read(arguments: dict[str, Any]) -> dict[str, Any]:
        from pydantic import ValidationError

        faults = [f"{p.name}: missing" for p in by_name.values() if p.required and p.name not in arguments]
        values: dict[str, Any] = {}
        for name, value in arguments.items():
            if name in adapters:
                try:
                    values[name] = adapters[name].validate_python(value)
                except ValidationError as error:
                    faults += _pydantic_faults(error, name)
            elif more:
                values[name] = value
            else:
                faults.append(f"{name}: no such parameter")
        if faults:
            raise ArgumentsError(_told(faults))
        return values

    return Shape(schema, read)


# -- the two ways of checking ---------------------------------------------------------------------------------------


def _checked(schema: dict[str, Any]) -> Shape:
    def read(arguments: dict[str, Any]) -> dict[str, Any]:
        from jsonschema.validators import validator_for

        validator = validator_for(schema)(schema)
        faults = [_at(error.path, error.message) for error in validator.iter_errors(arguments)]
        if faults:
            raise ArgumentsError(_told(faults))
        return arguments

    return Shape(schema, read)


def _instance(model: type) -> Shape:
    adapter = _adapter(model, model.__name__)
    schema = adapter.json_schema(schema_generator=_generator())
    # A model that refers to itself comes as a reference; the root of a tool's schema must say "object" itself.
    reference = schema.pop("$ref", None)
    if reference:
        schema = {**schema["$defs"][reference.rpartition("/")[2]], **schema}

    def read(arguments: dict[str, Any]) -> Any:
        from pydantic import ValidationError

        try:
            return adapter.validate_python(arguments)
        except ValidationError as error:
            raise ArgumentsError(_told(_pydantic_faults(error))) from None

    return Shape(schema, read)


def _told(faults: list[str]) -> str:
    more = [f"and {len(faults) - FAULTS} more"] if len(faults) > FAULTS else []
    return "; ".join([*faults[:FAULTS], *more])


def _at(path: Iterable[Any], fault: str) -> str:
    where = ".".join(map(str, path))
    return f"{where}: {fault}" if where else fault


def _pydantic_faults(error: Any, *prefix: str) -> list[str]:
    return [_at((*prefix, *fault["loc"]), fault["msg"]) for fault in error.errors(include_url=False)]


# -- types to JSON Schema -------------------------------------------------------------------------------------------


def _is_json_schema(schema: Mapping[str, Any]) -> bool:
    """Whether a dict is JSON Schema, and not names with types (`{"type": str}` is a parameter called type)."""
    return isinstance(schema.get("type"), str) or isinstance(schema.get("properties"), Mapping)


def _object(parameters: Iterable[Parameter], adapters: Mapping[str, Any] | None = None) -> dict[str, Any]:
    from pydantic import TypeAdapter

    parameters = list(parameters)
    if adapters is None:
        # The official SDK takes any type here and calls those it does not know strings.
        adapters = {p.name: _adapter(p.hint, p.name, otherwise=str) for p in parameters if not _given(p.hint)}
    schemas, definitions = TypeAdapter.json_schemas(
        [(name, "validation", adapter) for name, adapter in adapters.items()], schema_generator=_generator()
    )
    properties: dict[str, Any] = {}
    for parameter in parameters:
        given = parameter.hint if _given(parameter.hint) else schemas[(parameter.name, "validation")]
        properties[parameter.name] = {**given, **_remarks(parameter)}
    required = [p.name for p in parameters if p.required]
    return {"type": "object", "properties": properties, **({"required": required} if required else {}), **definitions}


def _given(hint: Any) -> bool:
    return isinstance(hint, Mapping)


def _remarks(parameter: Parameter) -> dict[str, Any]:
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    remarks: dict[str, Any] = {"description": parameter.description} if parameter.description else {}
    if parameter.default is not MISSING and parameter.default is not None:
        # A default without a JSON form is the function's own affair.
        with contextlib.suppress(PydanticSerializationError):
            remarks["default"] = to_jsonable_python(parameter.default)
    return remarks


def _adapter(hint: Any, name: str, otherwise: Any = MISSING) -> Any:
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError, PydanticUserError

    hint = _with_described(_modern(hint))
    try:
        adapter = TypeAdapter(hint)
        adapter.json_schema()
    except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema, PydanticUserError, NameError) as error:
        if otherwise is not MISSING:
            return TypeAdapter(otherwise)
        raise OptionsError(
            f"{name} has the type {getattr(hint, '__name__', hint)}, which the model cannot write as JSON. Use plain "
            "types (str, int, list, a dataclass, ...), or give the tool an input_schema."
        ) from error
    return adapter


def _with_described(hint: Any) -> Any:
    """`Annotated[T, "words"]` means a description to users (and the official SDK); pydantic wants a Field."""
    if get_origin(hint) is not Annotated:
        return hint
    from pydantic import Field

    kind, *notes = get_args(hint)
    notes = [Field(description=note) if isinstance(note, str) else note for note in notes]
    return Annotated[(kind, *notes)]  # type: ignore[return-value]


def _entries(typed_dict: Any) -> list[Parameter]:
    """The entries of a TypedDict. Required and NotRequired are read here: under `from __future__ import annotations`
    `__required_keys__` misses them."""
    entries = []
    for name, written in typing.get_type_hints(typed_dict, include_extras=True).items():
        wrapped = get_origin(written) in (Required, NotRequired)
        required = get_origin(written) is Required if wrapped else name in typed_dict.__required_keys__
        entries.append(Parameter(name, get_args(written)[0] if wrapped else written, required))
    return entries


def _modern(hint: Any) -> Any:
    """The same type with TypedDicts that pydantic reads: before Python 3.12 it wants those of typing_extensions."""
    if sys.version_info >= (3, 12):
        return hint
    if is_typeddict(hint):
        entries = {e.name: (Required if e.required else NotRequired)[_modern(e.hint)] for e in _entries(hint)}
        return TypedDict(hint.__name__, entries)  # type: ignore[operator]
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _with_described(Annotated[(_modern(args[0]), *args[1:])])  # type: ignore[return-value]
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
