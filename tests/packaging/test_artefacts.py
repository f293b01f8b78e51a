"""What is shipped: wheel and sdist, built from a clean copy on a machine without Node."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from claude_nb import __version__

ROOT = Path(__file__).resolve().parents[2]
NOT_SOURCE = shutil.ignore_patterns(
    ".git", ".venv*", ".cache", ".*_cache", ".hypothesis", "node_modules", "dist", "build", "__pycache__"
)
STATIC = sorted(path.name for path in (ROOT / "claude_nb" / "widgets" / "static").iterdir())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the sdist, and the wheel that was built from it."""
    base = tmp_path_factory.mktemp("built")
    copy = shutil.copytree(ROOT, base / "copy", ignore=NOT_SOURCE)
    empty = base / "no-programs"
    empty.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", base / "dist", copy],
        env={**os.environ, "PATH": str(empty)},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return base / "dist"


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    return built / f"claude_nb-{__version__}-py3-none-any.whl"


@pytest.fixture(scope="module")
def in_wheel(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def in_sdist(built: Path) -> set[str]:
    with tarfile.open(built / f"claude_nb-{__version__}.tar.gz") as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def test_the_page_script_is_in_both(in_wheel: set[str], in_sdist: set[str]) -> None:
    shipped = {f"claude_nb/widgets/static/{name}" for name in STATIC}
    assert {Path(name).suffix for name in STATIC} >= {".js"}
    assert shipped - in_wheel == set()
    assert shipped - in_sdist == set()


def test_the_tour_is_in_both(in_wheel: set[str], in_sdist: set[str]) -> None:
    assert "claude_nb/demo/notebooks/tour.ipynb" in in_wheel
    assert "notebooks/tour.ipynb" in in_sdist


def test_the_wheel_holds_the_package_and_its_metadata_only(in_wheel: set[str]) -> None:
    assert {name.partition("/")[0] for name in in_wheel} == {"claude_nb", f"claude_nb-{__version__}.dist-info"}
    assert {"claude_nb/py.typed", "claude_nb/cli.py"} <= in_wheel
    assert [name for name in in_wheel if "__pycache__" in name] == []


def test_every_module_of_the_checkout_is_shipped(in_wheel: set[str]) -> None:
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "claude_nb").rglob("*.py")}
    assert modules - in_wheel == set()


def test_the_sdist_can_be_tested_and_the_page_script_rebuilt_from_it(in_sdist: set[str]) -> None:
    wanted = {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "tests/run.py",
        "js/package.json",
        "js/build.mjs",
    }
    assert wanted - in_sdist == set()
    assert [name for name in in_sdist if "node_modules" in name] == []


def test_the_installed_wheel_finds_its_own_tour_and_command(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    script = "from claude_nb.demo.place import tour_notebook; print(tour_notebook())"
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    run = [sys.executable, "-P", "-c", script]
    found = subprocess.run(run, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert Path(found.stdout.strip()) == tmp_path / "claude_nb" / "demo" / "notebooks" / "tour.ipynb"
    entry_points = (tmp_path / f"claude_nb-{__version__}.dist-info" / "entry_points.txt").read_text()
    assert "claude-nb = claude_nb.cli:main" in entry_points
