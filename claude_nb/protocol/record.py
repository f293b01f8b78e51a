"""Models that can be used like the dataclasses they stand for.

Layer 0. Above: `block`, `system`, `message`. Below: pydantic. The official Python SDK's messages and blocks are
dataclasses; code written for it gives fields by position, matches them by position (`case TextBlock(text):`) and writes
them down with `dataclasses.asdict`. Only the official fields take part, in their order: what ours have beside them
(`raw`, and a block's `type`, which its class says) stays out.
"""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

_OURS = frozenset({"raw", "type"})


@cache
def _names(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(name for name in model.model_fields if name not in _OURS)


@cache
def _needed(model: type[BaseModel]) -> tuple[str, ...]:
    return tuple(name for name, field in model.model_fields.items() if field.is_required())


_Meta: Any = type(BaseModel)


class _ByPosition(_Meta):  # type: ignore[misc]
    """Made by hand, a record takes what it is given, by position too, as a dataclass does.

    What comes over the wire is validated, does not come by here, and costs nothing.
    """

    def __call__(cls, *values: Any, **named: Any) -> Any:
        names = _names(cls)
        if len(values) > len(names):
            raise TypeError(f"{cls.__name__} takes at most {len(names)} positional arguments, not {len(values)}.")
        given = dict(zip(names, values, strict=False))
        if twice := given.keys() & named.keys():
            raise TypeError(f"{cls.__name__} got {', '.join(sorted(twice))} twice.")
        given |= named
        if missing := [name for name in _needed(cls) if name not in given]:
            raise TypeError(f"{cls.__name__} needs {', '.join(missing)}.")
        return cls.model_construct(**given)

    @property
    def __match_args__(cls) -> tuple[str, ...]:
        return _names(cls)


class Fields:
    """`__dataclass_fields__`, made when first asked for; `names` if the class is not a model."""

    def __init__(self, *names: str):
        self._given = names

    def __get__(self, instance: object, owner: type[Any]) -> dict[str, dataclasses.Field[Any]]:
        return _fields(self._given or _names(owner))  # type: ignore[arg-type]


@cache
def _fields(names: tuple[str, ...]) -> dict[str, dataclasses.Field[Any]]:
    return {field.name: field for field in dataclasses.fields(dataclasses.make_dataclass("Record", names))}


if TYPE_CHECKING:

    class Record(BaseModel):
        """Base of models that stand for a dataclass of the official SDK. Type checkers want its fields by keyword."""

        __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

else:

    class Record(BaseModel, metaclass=_ByPosition):
        """Base of models that stand for a dataclass of the official SDK."""

        __dataclass_fields__ = Fields()
        # A validator built at import costs a third of the import, plugins looked for included.
        model_config = ConfigDict(defer_build=True)
