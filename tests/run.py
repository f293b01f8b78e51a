"""The one command for the tests: install what they need, then lint, check types and run them.

    python3 tests/run.py                       everything
    python3 tests/run.py --no-install -k demo  as it is installed now; other arguments go to pytest
    python3 tests/run.py -n 2 --dist loadfile -m "not benchmark"
                                               two files at a time, without the figures that want a machine of their own

It uses the virtual environment it runs in, or makes `.venv`. Running it again installs only what changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
JS = ROOT / "js"
# The kernel tests run against these too; the newest one is the environment's own.
IPYKERNELS = ("6.29.5", "6.31.0", "7.1.0")
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def main(arguments: list[str]) -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - this file alone may meet an older one
        sys.exit("Python 3.11 or newer is needed to run the tests.")
    install = "--no-install" not in arguments
    python = environment()
    # Its own `node`, `ruff` and `claude-nb` come first, whether or not it is activated.
    os.environ["PATH"] = os.pathsep.join([str(python.parent), os.environ.get("PATH", os.defpath)])
    os.environ["VIRTUAL_ENV"] = str(python.parent.parent)
    os.environ.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    if install:
        install_packages(python)
        install_overlays(python)
        install_node_modules()
        install_chromium()
    steps = {
        "ruff check": [python, "-m", "ruff", "check", "."],
        "ruff format": [python, "-m", "ruff", "format", "--check", "."],
        "mypy": [python, "-m", "mypy"],
        "js types": [tool("npm"), "run", "--silent", "check"],
        "js tests": [tool("npm"), "run", "--silent", "test"],
    }
    failed = [name for name, command in steps.items() if run(command, cwd=JS if name.startswith("js") else ROOT)]
    if failed:
        say(f"failed: {', '.join(failed)}; the tests run all the same, the exit code will tell")
    tests = run([python, "-m", "pytest", *(a for a in arguments if a != "--no-install")])
    return tests or bool(failed)


def environment() -> Path:
    """The interpreter to test with: this one if it belongs to a virtual environment, else `.venv`'s."""
    if sys.prefix != sys.base_prefix:
        return Path(sys.executable)
    python = ROOT / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        say("making .venv")
        must([sys.executable, "-m", "venv", ROOT / ".venv"], hint="on Debian: apt-get install python3-venv")
    return python


def install_packages(python: Path) -> None:
    say("installing the package and what its tests need")
    must([python, "-m", "pip", "install", "--quiet", "--editable", ".[test]"])


def install_overlays(python: Path) -> None:
    """Other versions of ipykernel, each in a folder that a test puts on PYTHONPATH."""
    for version in IPYKERNELS:
        folder = ROOT / ".cache" / "ipykernel" / version
        if folder.exists():
            continue
        say(f"installing ipykernel {version} beside the environment's own")
        # Under another name first, so that an interrupted run leaves no half of one.
        unfinished = folder.with_name(f"{version}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        package = f"ipykernel=={version}"
        must([python, "-m", "pip", "install", "--quiet", "--no-deps", "--target", unfinished, package])
        unfinished.rename(folder)


def install_node_modules() -> None:
    """What the page script's tests need. `node` and `npm` come from PyPI with the package's test extra."""
    lock, installed = JS / "package-lock.json", JS / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        say("installing the page script's tools")
        must([tool("npm"), "ci", "--loglevel=error", "--no-audit", "--no-fund"], cwd=JS)


def install_chromium() -> None:
    if any(shutil.which(name) for name in CHROMIUMS):
        return
    apt = shutil.which("apt-get")
    root = os.name != "nt" and os.geteuid() == 0
    sudo = [] if root else ["sudo", "-n"]
    if apt is None or not (root or shutil.which("sudo")):
        sys.exit(f"The browser tests need Chromium: install it so that one of {', '.join(CHROMIUMS)} is on PATH.")
    say("installing chromium with apt-get")
    must([*sudo, apt, "update", "-qq"], hint="or install chromium yourself")
    options = ["-qq", "-y", "--no-install-recommends"]
    must([*sudo, "env", "DEBIAN_FRONTEND=noninteractive", apt, "install", *options, "chromium"])


def tool(name: str) -> str:
    """A program's path; on Windows that finds `npm.cmd`, too."""
    return shutil.which(name) or name


def say(text: str) -> None:
    print(f"== {text}", flush=True)


def run(command: list[str | Path], cwd: Path = ROOT) -> int:
    say(" ".join(Path(command[0]).name if i == 0 else str(word) for i, word in enumerate(command)))
    try:
        return subprocess.run(command, cwd=cwd).returncode
    except FileNotFoundError as error:
        say(f"{error.filename} is not installed")
        return 127


def must(command: list[str | Path], cwd: Path = ROOT, hint: str = "") -> None:
    if code := subprocess.run(command, cwd=cwd).returncode:
        sys.exit(f"failed ({code}): {' '.join(map(str, command))}{f'; {hint}' if hint else ''}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
