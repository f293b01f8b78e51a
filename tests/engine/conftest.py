"""Async tests run on asyncio and on trio; those that need the CLI get the real one with a scripted model."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claude_nb import ClaudeAgentOptions
from claude_nb.testing import ScriptedModel

Options = Callable[..., ClaudeAgentOptions]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture
def options(model: ScriptedModel, tmp_path: Path) -> Options:
    """Options for the real CLI in an empty folder, answered by the scripted model."""
    work = tmp_path / "work"
    work.mkdir()

    def make(**fields) -> ClaudeAgentOptions:
        env = {**model.env(tmp_path), **fields.pop("env", {})}
        return ClaudeAgentOptions(**{"cwd": work, "env": env, **fields})

    return make
