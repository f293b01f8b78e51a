"""`claude-nb demo --check`: run the tour without a screen and see that every cell answered.

Below: `place.py`, `lab.py`, `scripts.py`; nbclient and nbconvert, imported late. Above: the command line.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .lab import DemoError, answering
from .model import ScriptedModel
from .place import Place
from .scripts import scene_for

if TYPE_CHECKING:
    from nbformat import NotebookNode

CELL_SECONDS: Final = 180


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a check: the files written, how many prompts were asked, and what was wrong."""

    notebook: Path
    page: Path
    prompts: int
    problems: tuple[str, ...]


def check(out: Path, *, real: bool = False) -> Checked:
    """Execute the tour, write `tour.ipynb` and `tour.html` with its outputs to the folder `out`.

    The agent works in a temporary folder, and its tools are allowed only in there. Raises DemoError when nbclient
    or nbconvert is missing.
    """
    try:
        import nbformat
        from nbconvert import HTMLExporter
    except ImportError as error:
        raise DemoError(
            f"{error.name} is not installed here. Install it with: pip install 'claude-nb[demo]'"
        ) from error
    base = Path(tempfile.mkdtemp(prefix="claude-nb-check-"))
    try:
        place = Place(base)
        place.prepare()
        notebook = nbformat.read(place.notebook, as_version=4)  # type: ignore[no-untyped-call]
        with answering(real=real, pace=0) as model:
            stopped = _execute(notebook, place, model)
        out.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, out / "tour.ipynb")  # type: ignore[no-untyped-call]
        exporter = HTMLExporter()  # type: ignore[no-untyped-call]
        page, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": "claude_nb: the tour"}})
        (out / "tour.html").write_text(page, encoding="utf-8")
    finally:
        shutil.rmtree(base, ignore_errors=True)
    problems = [*stopped, *find_problems(notebook, scripted=not real)]
    return Checked(out / "tour.ipynb", out / "tour.html", sum(1 for _ in prompts(notebook)), tuple(problems))


def find_problems(notebook: NotebookNode, *, scripted: bool = True) -> Iterator[str]:
    """What is wrong with an executed tour, a sentence for each: errors, empty answers, answers of another prompt."""
    for number, cell in _code_cells(notebook):
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"cell {number} failed: {output.ename}: {output.evalue}"
    for number, prompt, cell in prompts(notebook):
        text = "\n".join(_texts(cell.outputs))
        if not text.strip():
            yield f"cell {number} has no answer"
        elif scripted:
            missing = [words for words in scene_for(prompt).expect if words not in text]
            yield from (f"cell {number} does not show {words!r}" for words in missing)


def prompts(notebook: NotebookNode) -> Iterator[tuple[int, str, NotebookNode]]:
    """Number, prompt and cell of every `%%claude` cell."""
    for number, cell in _code_cells(notebook):
        first, _, prompt = cell.source.partition("\n")
        if first.startswith("%%claude"):
            yield number, prompt, cell


def _code_cells(notebook: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    return ((number, cell) for number, cell in enumerate(notebook.cells, 1) if cell.cell_type == "code")


def _texts(outputs: list[NotebookNode]) -> Iterator[str]:
    for output in outputs:
        if output.output_type == "stream":
            yield output.text
        elif output.output_type in {"display_data", "execute_result"}:
            yield output.data.get("text/markdown") or output.data.get("text/plain") or ""


def _execute(notebook: NotebookNode, place: Place, model: ScriptedModel | None) -> list[str]:
    """Run every cell in a fresh kernel of this Python; the reasons why it stopped early, if it did."""
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from traitlets import default

    class ThisPython(AsyncKernelManager):
        # No folders to look in: "python3" is then this interpreter, whatever kernels the user has installed.
        @default("kernel_spec_manager")
        def _kernel_spec_manager_default(self) -> KernelSpecManager:
            return KernelSpecManager(kernel_dirs=[], data_dir=str(place.state))

    client = NotebookClient(
        notebook,
        kernel_manager_class=ThisPython,
        kernel_name="python3",
        timeout=CELL_SECONDS,
        # The kernel's advice on transport encryption is no news on a loopback address.
        extra_arguments=["--log-level=ERROR"],
        allow_errors=True,
        resources={"metadata": {"path": str(place.work)}},
    )
    start: dict[str, Any] = {"env": place.environment(model)}
    try:
        client.execute(**start)
    except (CellTimeoutError, DeadKernelError) as error:
        return [f"the run stopped: {str(error).strip().splitlines()[0]}"]
    return []
