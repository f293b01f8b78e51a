"""`claude-nb doctor`: what it finds, what it says to do, and what it never shows."""

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from claude_nb import doctor
from claude_nb.cli import main
from claude_nb.doctor import Finding, as_json, as_text, cli, credentials, examine

from .conftest import find_cli

SECRET = "sk-ant-api03-very-secret"


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """An environment without account or CLI."""
    return {"PATH": str(tmp_path / "nothing"), "HOME": str(tmp_path)}


def fake_cli(folder: Path, answer: str) -> Path:
    program = folder / "claude"
    program.write_text(f"#!{sys.executable}\nprint({answer!r})\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def test_the_real_cli_is_found_with_its_version() -> None:
    found = cli({**os.environ, "CLAUDE_CLI_PATH": find_cli()})
    assert found.state == "ok"
    assert found.text.startswith("2.")
    assert "CLAUDE_CLI_PATH" in found.text


def test_a_cli_that_is_not_where_it_was_said_to_be_is_missing(bare: dict[str, str]) -> None:
    found = cli({**bare, "CLAUDE_CLI_PATH": "/no/such/claude"})
    assert found.missing
    assert "/no/such/claude" in found.text
    assert "pip install" in found.todo


@pytest.mark.parametrize(("answer", "said"), [("1.0.9 (Claude Code)", "older than"), ("hello", "does not say")])
@pytest.mark.skipif(os.name == "nt", reason="a script is no program on Windows")
def test_a_cli_that_is_too_old_or_something_else_is_missing(
    bare: dict[str, str], tmp_path: Path, answer: str, said: str
) -> None:
    found = cli({**bare, "CLAUDE_CLI_PATH": str(fake_cli(tmp_path, answer))})
    assert found.missing
    assert said in found.text


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"])
def test_a_key_in_the_environment_is_named_but_not_shown(bare: dict[str, str], tmp_path: Path, name: str) -> None:
    found = credentials({**bare, name: SECRET}, tmp_path)
    assert found.state == "ok"
    assert name in found.text
    assert SECRET not in as_text([found]) + as_json([found])


def test_a_login_on_disk_and_a_key_helper_are_found(bare: dict[str, str], tmp_path: Path) -> None:
    config = tmp_path / ".claude"
    config.mkdir()
    assert credentials(bare, tmp_path).missing
    (config / "settings.json").write_text('{"apiKeyHelper": "get-key --secret"}')
    helper = credentials(bare, tmp_path)
    assert "apiKeyHelper" in helper.text
    assert "get-key" not in helper.text
    (config / ".credentials.json").write_text(SECRET)
    assert ".credentials.json" in credentials(bare, tmp_path).text
    elsewhere = credentials({**bare, "CLAUDE_CONFIG_DIR": str(tmp_path / "other")}, tmp_path)
    assert elsewhere.missing


def test_an_unreadable_settings_file_is_no_credential(bare: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / ".claude").mkdir()
    (tmp_path / ".claude" / "settings.json").write_text("not json")
    assert credentials(bare, tmp_path).missing


def test_no_credentials_say_what_to_do(bare: dict[str, str], tmp_path: Path) -> None:
    found = credentials(bare, tmp_path)
    assert "ANTHROPIC_API_KEY" in found.todo
    assert "claude-nb demo" in found.todo


def test_this_environment_has_kernel_front_end_and_extras() -> None:
    states = {finding.name: finding.state for finding in examine()}
    assert {"kernel", "front end", "live view", "extra demo", "extra fsspec"} <= set(states)
    assert states["kernel"] == states["front end"] == states["live view"] == states["extra demo"] == "ok"


def test_the_text_names_what_is_missing_at_its_end() -> None:
    findings = [Finding("kernel", "ok", "here"), Finding("credentials", "missing", "none", "log in")]
    assert as_text(findings).splitlines() == [
        "ok        kernel       here",
        "missing   credentials  none",
        "                       -> log in",
        "",
        "Missing: credentials.",
    ]
    assert as_text(findings[:1]).endswith("All that %%claude needs is here.")


@pytest.mark.parametrize(("state", "exit_code"), [("ok", 0), ("optional", 0), ("missing", 1)])
def test_the_exit_code_tells_whether_something_needed_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], state: doctor.State, exit_code: int
) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: [Finding("thing", state, "text")])
    assert main(["doctor", "--json"]) == exit_code
    said = json.loads(capsys.readouterr().out)
    assert said == {"ok": exit_code == 0, "findings": [{"name": "thing", "state": state, "text": "text", "todo": ""}]}
