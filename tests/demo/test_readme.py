"""What the README shows runs as it stands."""

import re
from pathlib import Path

import anyio
import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_example_of_the_testing_kit_runs(tmp_path: Path, backend: str) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    example = next(code for code in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "ScriptedModel" in code)
    names: dict[str, object] = {}
    exec(example, names)
    (tmp_path / "notes.txt").write_text("hello\n")

    async def run() -> None:
        with anyio.fail_after(60):
            await names["test_the_notes_are_read"](tmp_path)

    anyio.run(run, backend=backend)
