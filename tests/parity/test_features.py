"""The table of features is whole and true: every row's test exists, and everything the code offers has a row."""

import ast
import dataclasses
import inspect
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

import claude_nb
from claude_nb import errors

from . import features

TESTS = Path(__file__).parent.parent


@cache
def names_of_tests(file: str) -> frozenset[str]:
    """The names of the test functions of a file."""
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("table", features.TABLES)
def test_every_row_names_a_test_that_there_is(table: str) -> None:
    rows = {feature: test.split("::") for feature, test in features.TABLES[table].items()}
    assert {feature: name for feature, (file, name) in rows.items() if name not in names_of_tests(file)} == {}


def public(condition) -> set[str]:
    return {name for name in claude_nb.__all__ if condition(name, getattr(claude_nb, name))}


def test_every_option_has_a_row() -> None:
    assert features.OPTIONS.keys() == {field.name for field in dataclasses.fields(claude_nb.ClaudeAgentOptions)}


def test_every_method_of_the_client_has_a_row() -> None:
    assert features.METHODS.keys() == {name for name in dir(claude_nb.ClaudeSDKClient) if not name.startswith("_")}


def test_every_hook_event_has_a_row() -> None:
    assert features.HOOKS.keys() == set(claude_nb.HOOK_EVENTS)


def test_every_message_and_block_has_a_row() -> None:
    kinds = {*get_args(claude_nb.Message), *claude_nb.SystemMessage.__subclasses__()}
    assert features.MESSAGES.keys() == {kind.__name__ for kind in kinds}
    assert features.BLOCKS.keys() == {kind.__name__ for kind in get_args(claude_nb.ContentBlock)}


def test_every_error_has_a_row() -> None:
    own = {value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)}
    assert features.ERRORS.keys() == {error.__name__ for error in own}


def test_every_constant_has_a_row() -> None:
    assert features.CONSTANTS.keys() == public(
        lambda name, value: name.isupper() and isinstance(value, tuple | frozenset)
    )


def test_every_function_of_the_engine_has_a_row() -> None:
    found = public(lambda name, value: inspect.isfunction(value) and not value.__module__.startswith("claude_nb.here"))
    assert features.FUNCTIONS.keys() == found
