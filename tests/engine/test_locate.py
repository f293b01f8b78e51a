"""Where the CLI is looked for, in which order, and what is said when it is not there."""

import importlib.machinery
import importlib.util
import sys
from pathlib import Path

import pytest

from claude_nb import CLIConnectionError, CLINotFoundError
from claude_nb.engine.locate import cli_version, find_cli, look_for_cli

NAME = "claude.exe" if sys.platform == "win32" else "claude"


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Makes fake CLIs; no wheel is installed."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    def make(folder):
        cli = tmp_path / folder / NAME
        cli.parent.mkdir(parents=True, exist_ok=True)
        cli.write_text("#!/bin/sh\necho 2.9.9 '(Claude Code)'\n")
        cli.chmod(0o755)
        return str(cli)

    return make


@pytest.fixture
def environ(tmp_path):
    return {"HOME": str(tmp_path / "home"), "PATH": str(tmp_path / "path")}


def test_an_explicit_path_wins_and_nothing_else_is_looked_at(places, environ):
    wanted, _ = places("own"), places("path")
    assert find_cli(wanted, environ) == wanted
    assert [place.source for place in look_for_cli(wanted, environ).looked] == ["cli_path"]


def test_the_variable_comes_before_the_path_and_the_path_before_the_usual_places(places, environ):
    usual = places("home/.local/bin")
    assert find_cli(environ=environ) == usual
    on_path = places("path")
    assert find_cli(environ=environ) == on_path
    named = places("named")
    assert find_cli(environ={**environ, "CLAUDE_CLI_PATH": named}) == named


def test_the_wheel_that_bundles_a_cli_is_found_without_importing_it(places, environ, tmp_path, monkeypatch):
    bundled = places("site/claude_agent_sdk/_bundled")
    spec = importlib.machinery.ModuleSpec(
        "claude_agent_sdk", None, origin=str(tmp_path / "site/claude_agent_sdk/__init__.py")
    )
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    before = set(sys.modules)
    assert find_cli(environ=environ) == bundled
    assert not {name for name in set(sys.modules) - before if name.startswith("claude_agent_sdk")}


def test_what_was_looked_at_is_told_when_nothing_is_found(environ, places):
    search = look_for_cli(environ=environ)
    assert search.found is None
    assert [place.source for place in search.looked[:2]] == ["PATH", "the claude-agent-sdk wheel"]
    assert any(place.path and ".npm-global" in place.path for place in search.looked)
    with pytest.raises(CLINotFoundError, match=r"pip install 'claude-nb\[cli\]'"):
        find_cli(environ=environ)


def test_a_path_that_is_wrong_is_named_with_its_source(environ):
    with pytest.raises(CLINotFoundError, match="where CLAUDE_CLI_PATH says") as caught:
        find_cli(environ={**environ, "CLAUDE_CLI_PATH": "/no/claude"})
    assert caught.value.cli_path == "/no/claude"


@pytest.mark.parametrize("name", ["claude.cmd", "claude.BAT"])
def test_batch_files_are_refused(tmp_path, name):
    batch = tmp_path / name
    batch.write_text("")
    with pytest.raises(CLIConnectionError, match="batch file"):
        find_cli(batch)


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for the CLI")
def test_a_cli_tells_its_version_or_nothing(places, tmp_path):
    assert cli_version(places("x")) == "2.9.9"
    assert cli_version(str(tmp_path / "missing")) is None
    broken = Path(places("y"))
    broken.write_text("#!/bin/sh\nexit 1\n")
    assert cli_version(str(broken)) is None
