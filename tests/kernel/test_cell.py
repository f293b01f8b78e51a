"""Where a prompt came from, without a kernel (with one: test_pump_kernels), and what the layer imports."""

from __future__ import annotations

import io
import subprocess
import sys
from types import SimpleNamespace

import pytest

from claude_nb.kernel.cell import Kind, Place, detect


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_plain_python_at_a_terminal_is_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    assert detect().kind is Kind.TERMINAL


@pytest.mark.parametrize("stdin", [None, io.StringIO("")])
def test_a_script_without_a_terminal_is_headless(monkeypatch: pytest.MonkeyPatch, stdin: io.StringIO | None) -> None:
    monkeypatch.setattr(sys, "stdin", stdin)
    assert detect(SimpleNamespace(kernel=None)).kind is Kind.HEADLESS


def test_a_kernel_that_has_no_request_yet_is_headless() -> None:
    kernel = SimpleNamespace(get_parent=dict)
    place = detect(SimpleNamespace(kernel=kernel))
    assert (place.kind, place.parent, place.cell_id) == (Kind.HEADLESS, {}, None)


def test_without_a_kernel_the_plain_text_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    place = Place(Kind.TERMINAL)
    place.show({"text/plain": "first", "text/html": "<b>first</b>"}, "id")
    place.update({"text/plain": "second"}, "id")
    place.late_update({"text/plain": "third"}, "id")
    place.show({"text/html": "nothing plain"})
    assert capsys.readouterr().out == "first\nsecond\nthird\n"


def test_the_layer_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from claude_nb.kernel import cell, idle, interpolate, namespace, pump, rejoin, tap, tools, values\n"
        "print([m for m in ('IPython', 'ipykernel', 'zmq', 'tornado', 'pandas', 'numpy', 'matplotlib', 'PIL')"
        " if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout == "[]\n"
