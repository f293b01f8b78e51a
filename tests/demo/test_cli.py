"""The `claude-nb` command as a program."""

import subprocess
import sys

import pytest

from claude_nb import __version__
from claude_nb.cli import main
from claude_nb.demo import lab


def test_the_package_runs_as_the_command() -> None:
    run = [sys.executable, "-m", "claude_nb", "version"]
    assert subprocess.run(run, capture_output=True, text=True, timeout=60, check=True).stdout.strip() == __version__


def test_an_unknown_command_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["dmeo"])
    assert exit.value.code == 2
    assert "demo" in capsys.readouterr().err


def test_a_demo_without_jupyterlab_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lab.importlib.util, "find_spec", lambda name: None)
    assert main(["demo", "--no-browser"]) == 1
    assert "pip install 'claude-nb[demo]'" in capsys.readouterr().err


def test_ctrl_c_is_the_normal_end_of_the_demo_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(lab, "run", interrupted)
    assert main(["demo"]) == 0
    monkeypatch.setattr("claude_nb.doctor.examine", interrupted)
    assert main(["doctor"]) == 130
    assert "Stopped." in capsys.readouterr().out
