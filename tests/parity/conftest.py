"""The example programs run on the real CLI, answered by a scripted model, in an empty folder of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claude_nb import ClaudeAgentOptions
from claude_nb.testing import ScriptedModel

Options = Callable[..., ClaudeAgentOptions]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """The agent's working folder."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def options(model: ScriptedModel, tmp_path: Path, work: Path) -> Options:
    """`ClaudeAgentOptions` for that folder and that model."""

    def make(**fields) -> ClaudeAgentOptions:
        env = {**model.env(tmp_path), **fields.pop("env", {})}
        return ClaudeAgentOptions(**{"cwd": work, "env": env, **fields})

    return make
