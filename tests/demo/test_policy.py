"""The demo's headless policy: its own folder, nothing else."""

from pathlib import Path

import pytest

from claude_nb.demo.policy import FOLDER_VARIABLE, scratch_only


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "demo"
    root.mkdir()
    (root / "inside.txt").touch()
    (tmp_path / "outside.txt").touch()
    monkeypatch.setenv(FOLDER_VARIABLE, str(root))
    return root


def test_files_inside_the_folder_pass(root: Path) -> None:
    assert scratch_only("Write", {"file_path": str(root / "new.py")})
    assert scratch_only("Edit", {"file_path": "inside.txt"})
    assert scratch_only("Grep", {"pattern": "x"})


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../outside.txt", "{root}/../outside.txt", "{root}-other/x", "~/x/../../y"]
)
def test_files_outside_the_folder_are_left_to_the_person(root: Path, path: str) -> None:
    path = path.format(root=root)
    passes = path.startswith("~")  # which is a folder of that name, inside
    assert bool(scratch_only("Write", {"file_path": path})) is passes


def test_a_link_that_leads_out_is_left_to_the_person(root: Path) -> None:
    try:
        (root / "link").symlink_to(root.parent)
    except OSError:
        pytest.fail("this system makes no symbolic links for this user")
    assert not scratch_only("Read", {"file_path": str(root / "link" / "outside.txt")})


@pytest.mark.parametrize("command", ["python report.py", "python3 report.py"])
def test_bash_runs_a_script_of_the_folder(root: Path, command: str) -> None:
    assert scratch_only("Bash", {"command": command})


@pytest.mark.parametrize(
    "command",
    [
        "",
        "ls",
        "python",
        "python -c 'print(1)'",
        "python report.py; rm -rf ~",
        "python report.py && ls",
        "python report.py\nls",
        "python ../report.py",
        "python /tmp/report.py",
        "python $(ls).py",
        "python -m.py",
        "python report.py > /etc/x",
        " python report.py",
    ],
)
def test_bash_does_nothing_else(root: Path, command: str) -> None:
    assert not scratch_only("Bash", {"command": command})


def test_functions_of_the_notebook_pass_and_unknown_tools_do_not(root: Path) -> None:
    assert scratch_only("mcp__notebook__revenue", {})
    assert not scratch_only("mcp__other__revenue", {})
    assert not scratch_only("WebFetch", {"url": "http://example.com"})
    assert not scratch_only("Agent", {})


def test_without_a_folder_nothing_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    assert not scratch_only("mcp__notebook__revenue", {})
    assert not scratch_only("Read", {"file_path": "x"})
