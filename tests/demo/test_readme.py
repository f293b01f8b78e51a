"""What the README shows runs as it stands."""

import re
from pathlib import Path
from typing import Any

import anyio
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("kit", ["ScriptedModel", "FakeTransport"])
def test_the_examples_of_the_testing_kit_run(tmp_path: Path, kit: str, backend: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example = next(code for code in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if kit in code)
    names: dict[str, Any] = {}
    exec(example, names)
    (test,) = (value for name, value in names.items() if name.startswith("test_"))
    (tmp_path / "notes.txt").write_text("hello\n")

    async def run() -> None:
        with anyio.fail_after(60):
            await (test(tmp_path) if kit == "ScriptedModel" else test())

    anyio.run(run, backend=backend)
