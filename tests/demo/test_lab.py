"""`claude-nb demo` as its user starts and stops it, and the folder it works in."""

import json
import os
import shutil
import signal
import sys
import urllib.request
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest

from claude_nb.demo import lab, who_answers
from claude_nb.demo.place import Place, tour_notebook
from claude_nb.demo.policy import scratch_only
from claude_nb.testing import ScriptedModel

from .conftest import running_demo


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path / "demo")
    place.prepare()
    return place


def get(url: str, token: str) -> Any:
    request = urllib.request.Request(url, headers={"Authorization": f"token {token}"})
    with urllib.request.urlopen(request, timeout=20) as response:
        return json.loads(response.read())


def test_a_server_that_does_not_start_is_reported_with_its_log(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab.sys, "executable", shutil.which("false"))
    with lab._Lab(place, {}, 8888) as server, pytest.raises(lab.DemoError, match="did not start"):
        server.wait_until_listening()


@pytest.mark.skipif(os.name == "nt", reason="signals of a terminal")
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_serves_the_tour_and_stops_whole(tmp_path: Path, end: signal.Signals) -> None:
    with running_demo(tmp_path / "demo", end) as demo:
        server, token = demo.url.partition("/lab/")[0], demo.url.partition("token=")[2]
        cells = get(f"{server}/api/contents/tour.ipynb", token)["content"]["cells"]
        assert cells[0]["source"].startswith("# A coding agent")
        assert get(f"{server}/api/kernels", token) == []
        assert "A scripted model answers" in demo.said
    assert (demo.exit_code, demo.rest.strip()) == (0, "Stopped.")
    with pytest.raises(OSError, match=r"refused|reset"):
        get(f"{server}/api/kernels", token)
    assert token not in (tmp_path / "demo" / "state" / "jupyterlab.log").read_text()


def test_the_demos_environment_leads_to_the_model_and_away_from_the_users_files(
    place: Place, model: ScriptedModel
) -> None:
    env = place.environment(model, {"HOME": "/home/me", "PATH": "/bin", "ANTHROPIC_AUTH_TOKEN": "mine", "LANG": "C"})
    assert env["ANTHROPIC_BASE_URL"] == model.url
    assert env["ANTHROPIC_AUTH_TOKEN"] == ""
    folders = ["HOME", "CLAUDE_CONFIG_DIR", "JUPYTER_CONFIG_DIR", "JUPYTERLAB_SETTINGS_DIR", "IPYTHONDIR"]
    assert [name for name in folders if not Path(env[name]).is_relative_to(place.state)] == []
    assert env["PATH"].split(os.pathsep) == [str(Path(sys.executable).parent), "/bin"]
    assert env["LANG"] == "C"


def test_the_real_service_is_reached_with_the_users_own_account(place: Place) -> None:
    mine = {"HOME": "/home/me", "PATH": "/bin", "ANTHROPIC_API_KEY": "mine"}
    env = place.environment(None, mine)
    assert {name: env[name] for name in ("HOME", "ANTHROPIC_API_KEY")} == {
        "HOME": "/home/me",
        "ANTHROPIC_API_KEY": "mine",
    }
    assert "ANTHROPIC_BASE_URL" not in env
    assert "CLAUDE_CONFIG_DIR" not in env


def test_the_environment_names_the_policy_and_its_folder(
    place: Place, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = place.environment(model)
    assert resolve_name(env["CLAUDE_NB_PERMISSION_POLICY"]) is scratch_only
    monkeypatch.setenv("CLAUDE_NB_DEMO_FOLDER", env["CLAUDE_NB_DEMO_FOLDER"])
    assert scratch_only("Write", {"file_path": str(place.work / "report.py")})
    assert not scratch_only("Write", {"file_path": str(place.state / "x")})


def test_the_kernel_knows_who_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAUDE_NB_DEMO", "scripted")
    assert who_answers().startswith("A scripted model")
    monkeypatch.setenv("CLAUDE_NB_DEMO", "real")
    assert who_answers().startswith("Your own account")
    monkeypatch.delenv("CLAUDE_NB_DEMO")
    assert who_answers().startswith("Your own account")


def test_a_kept_folder_keeps_the_users_edits(place: Place) -> None:
    assert place.notebook.read_bytes() == tour_notebook().read_bytes()
    place.notebook.write_text("mine")
    place.prepare()
    assert place.notebook.read_text() == "mine"
