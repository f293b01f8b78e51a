"""What a tool takes: from Python types or JSON Schema to one `Shape` that describes and checks arguments.

Layer 2, pure. Above: `signature` and `tool`. Below: `hints`, pydantic, and jsonschema for schemas that users write.
Facts: protocol page 2.11 (the official Python SDK 0.2.186 takes a dict of name to type, a TypedDict, or JSON Schema).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from typing_extensions import is_typeddict

from claude_nb.engine.mcp.hints import Parameter, adapter_of, entries_of, instance_schema, object_schema
from claude_nb.errors import OptionsError

#: How many faults of one call are told; the model corrects them all at once and needs no longer list.
FAULTS = 5


class ArgumentsError(ValueError):
    """Arguments that a tool does not take; the message is meant for the model."""


@dataclass(frozen=True)
class Shape:
    """`schema` is what the model sees (JSON Schema of an object); `read` checks arguments and returns what the
    handler gets, or raises ArgumentsError."""

    schema: dict[str, Any]
    read: Callable[[dict[str, Any]], Any]


def shape_of(input_schema: Any) -> Shape:
    """The shape of a tool whose handler takes all arguments as one value.

    - a dict of name to type (all required), or a TypedDict: checked, and handed on as they came;
    - JSON Schema of an object, or a dict of name to JSON Schema (all required): the same;
    - a pydantic model or a dataclass: the handler gets an instance.

    Raises OptionsError for anything else, and for JSON Schema that is none.
    """
    if isinstance(input_schema, Mapping):
        if isinstance(input_schema.get("type"), str) or isinstance(input_schema.get("properties"), Mapping):
            return _shape_of_json_schema({"type": "object", **input_schema})
        if input_schema and all(isinstance(value, Mapping) for value in input_schema.values()):
            return _shape_of_json_schema(
                {"type": "object", "properties": dict(input_schema), "required": list(input_schema)}
            )
        return _shape_of_types([Parameter(name, hint) for name, hint in input_schema.items()])
    if is_typeddict(input_schema):
        return _shape_of_types(entries_of(input_schema))
    if isinstance(input_schema, type) and (
        dataclasses.is_dataclass(input_schema) or hasattr(input_schema, "model_json_schema")
    ):
        return _shape_of_model(input_schema)
    raise OptionsError(
        f"input_schema={input_schema!r} says nothing about arguments: give a dict of name to type, a TypedDict, a "
        "pydantic model, a dataclass or JSON Schema."
    )


def shape_of_parameters(parameters: Iterable[Parameter], *, more: bool = False) -> Shape:
    """The shape of a function that takes keywords: `read` returns them converted to the parameters' types.

    Parameters left out stay out, so the function's own defaults apply. `more` lets unknown names through.
    Raises OptionsError for a type that has no JSON form.
    """
    parameters = list(parameters)
    adapters = {p.name: adapter_of(p.hint, p.name) for p in parameters}
    schema = object_schema(parameters, adapters)
    if not more:
        schema["additionalProperties"] = False

    def read(arguments: dict[str, Any]) -> dict[str, Any]:
        values, faults = _read(arguments, parameters, {name: a.validate_python for name, a in adapters.items()})
        others = {name: value for name, value in arguments.items() if name not in adapters}
        if more:
            values |= others
        else:
            faults += [f"{name}: no such parameter" for name in others]
        _raise(faults)
        return values

    return Shape(schema, read)


def _shape_of_types(parameters: list[Parameter]) -> Shape:
    # The official SDK takes any type here, calls those it does not know strings, and lets other names through.
    adapters = {p.name: adapter_of(p.hint, p.name, otherwise=str) for p in parameters}

    def strictly(adapter: Any) -> Callable[[Any], Any]:
        from pydantic_core import to_json

        # As JSON: there a date is a string and an enum its value, but a number in quotes is no number.
        return lambda value: adapter.validate_json(to_json(value), strict=True)

    def read(arguments: dict[str, Any]) -> dict[str, Any]:
        _, faults = _read(arguments, parameters, {name: strictly(adapter) for name, adapter in adapters.items()})
        _raise(faults)
        return arguments

    return Shape(object_schema(parameters, adapters), read)


def _shape_of_json_schema(schema: dict[str, Any]) -> Shape:
    # Imported here and not at the first call: jsonschema may take a second with its formats, and a call runs on the
    # engine's loop, where a second is long.
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import validator_for

    kind = validator_for(schema)
    try:
        kind.check_schema(schema)
    except SchemaError as error:
        raise OptionsError(f"input_schema is not valid JSON Schema: {_at(error.path, error.message)}") from error
    validator = kind(schema)

    def read(arguments: dict[str, Any]) -> dict[str, Any]:
        _raise([_at(error.path, error.message) for error in validator.iter_errors(arguments)])
        return arguments

    return Shape(schema, read)


def _shape_of_model(model: type) -> Shape:
    adapter = adapter_of(model, model.__name__)

    def read(arguments: dict[str, Any]) -> Any:
        from pydantic import ValidationError

        try:
            return adapter.validate_python(arguments)
        except ValidationError as error:
            raise ArgumentsError(_told(_faults(error))) from None

    return Shape(instance_schema(adapter), read)


# -- faults ---------------------------------------------------------------------------------------------------------


def _read(
    arguments: dict[str, Any], parameters: list[Parameter], readers: Mapping[str, Callable[[Any], Any]]
) -> tuple[dict[str, Any], list[str]]:
    """The arguments that were asked for, as their readers return them, and what is wrong."""
    from pydantic import ValidationError

    values: dict[str, Any] = {}
    faults = []
    for parameter in parameters:
        name = parameter.name
        if name not in arguments:
            faults += [f"{name}: missing"] if parameter.required else []
            continue
        try:
            values[name] = readers[name](arguments[name])
        except ValidationError as error:
            faults += _faults(error, name)
    return values, faults


def _faults(error: Any, *prefix: str) -> list[str]:
    return [_at((*prefix, *fault["loc"]), fault["msg"]) for fault in error.errors(include_url=False)]


def _at(path: Iterable[Any], fault: str) -> str:
    where = ".".join(map(str, path))
    return f"{where}: {fault}" if where else fault


def _raise(faults: list[str]) -> None:
    if faults:
        raise ArgumentsError(_told(faults))


def _told(faults: list[str]) -> str:
    more = [f"and {len(faults) - FAULTS} more"] if len(faults) > FAULTS else []
    return "; ".join([*faults[:FAULTS], *more])
