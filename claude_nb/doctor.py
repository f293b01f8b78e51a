"""What `%%claude` needs and whether it is here: the facts behind `claude-nb doctor`.

Below: `engine/locate.py` finds the CLI. Above: the command line prints this. Credentials are looked for by name
only: no value is read that is not needed to see that it is there, and none is shown.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

from claude_nb import __version__
from claude_nb.engine.locate import cli_version, look_for_cli
from claude_nb.errors import INSTALL_HINT, LOGIN_HINT
from claude_nb.protocol.launch import MINIMUM_CLI_VERSION

State = Literal["ok", "missing", "optional"]

_KEYS: Final = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN")
_CLOUDS: Final = ("CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY")
# Where macOS keeps what `claude` got at login; asking for the entry without its secret opens no dialog.
_KEYCHAIN: Final = ("security", "find-generic-password", "-s", "Claude Code-credentials")
# Page extensions that draw the live view, and the packages that bring them.
_LAB_EXTENSIONS: Final = {"anywidget": "anywidget", "@jupyter-widgets/jupyterlab-manager": "jupyterlab_widgets"}
_EXTRAS: Final = {
    "demo": ("jupyterlab", "matplotlib", "nbclient", "nbconvert", "pandas"),
    "fsspec": ("fsspec",),
    "nest-asyncio": ("nest_asyncio",),
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked for: `ok`, `missing` (needed), or `optional` (not here, and only needed for some things)."""

    name: str
    state: State
    text: str
    todo: str = ""

    @property
    def missing(self) -> bool:
        """Whether `%%claude` can't work without it."""
        return self.state == "missing"


def examine(env: Mapping[str, str] | None = None, home: Path | None = None) -> list[Finding]:
    """Look at this interpreter's environment and the user's account; `env` and `home` stand in for the real ones."""
    env = os.environ if env is None else env
    home = Path.home() if home is None else home
    return [python(), cli(env), credentials(env, home), kernel(), *front_end(env), *extras()]


def python() -> Finding:
    """This interpreter and this package."""
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("claude_nb", "ok", f"{__version__} on Python {version} ({sys.executable})")


def cli(env: Mapping[str, str]) -> Finding:
    """The Claude Code CLI, where it was found and which version it is."""
    name = "Claude Code CLI"
    search = look_for_cli(environ=env)
    if search.found is None or search.found.path is None:
        looked = "; ".join(f"{place.source}: {place.path or 'nothing'}" for place in search.looked)
        return Finding(name, "missing", f"not found ({looked})", INSTALL_HINT)
    path = search.found.path
    version = cli_version(path)
    if version is None:
        return Finding(name, "missing", f"{path} does not say its version when asked", INSTALL_HINT)
    if _numbers(version) < _numbers(MINIMUM_CLI_VERSION):
        return Finding(name, "missing", f"{version} is older than {MINIMUM_CLI_VERSION}: {path}", INSTALL_HINT)
    return Finding(name, "ok", f"{version} from {search.found.source}: {path}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def credentials(env: Mapping[str, str], home: Path) -> Finding:
    """Whether the CLI will find an account; the places, never the secrets."""
    found = list(_accounts(env, Path(env.get("CLAUDE_CONFIG_DIR") or home / ".claude")))
    redirected = "; ANTHROPIC_BASE_URL sends requests to another address" if env.get("ANTHROPIC_BASE_URL") else ""
    if found:
        return Finding("credentials", "ok", f"found: {', '.join(found)} (not shown){redirected}")
    return Finding("credentials", "missing", f"none found{redirected}", LOGIN_HINT)


def _accounts(env: Mapping[str, str], config: Path) -> Iterator[str]:
    yield from (name for name in (*_KEYS, *_CLOUDS) if env.get(name))
    if (file := config / ".credentials.json").is_file():
        yield str(file)
    try:
        if "apiKeyHelper" in json.loads((config / "settings.json").read_text(encoding="utf-8")):
            yield f"apiKeyHelper in {config / 'settings.json'}"
    except (OSError, ValueError, TypeError):
        pass  # no settings, or none that can be read: then they name no helper
    if sys.platform == "darwin" and _succeeds(_KEYCHAIN):
        yield "the macOS keychain"


def kernel() -> Finding:
    """The kernel that runs `%%claude`."""
    ipykernel, ipython = _version("ipykernel"), _version("ipython")
    if ipykernel is None or ipython is None:
        todo = "pip install ipykernel, with the Python of your notebooks"
        return Finding("kernel", "missing", "ipykernel is not installed", todo)
    return Finding("kernel", "ok", f"ipykernel {ipykernel}, IPython {ipython}")


def front_end(env: Mapping[str, str]) -> Iterator[Finding]:
    """What shows the notebooks. It may live in another environment, which we can't see; then this says so."""
    here = {"JupyterLab": _version("jupyterlab"), "Notebook": _version("notebook")}
    installed = [f"{name} {version}" for name, version in here.items() if version]
    if installed:
        yield Finding("front end", "ok", ", ".join(installed))
    else:
        elsewhere = shutil.which("jupyter-lab", path=env.get("PATH"))
        text = f"JupyterLab of another environment: {elsewhere}" if elsewhere else "no JupyterLab or Notebook here"
        todo = "pip install 'claude-nb[demo]' (VS Code, Colab and the terminal's IPython need neither)"
        yield Finding("front end", "optional", text, "" if elsewhere else todo)
    absent = [package for name, package in _LAB_EXTENSIONS.items() if not _lab_extension(name)]
    if absent:
        todo = f"pip install {' '.join(absent)} in the environment that JupyterLab runs from"
        yield Finding("live view", "optional", f"not here: the page's part of {', '.join(absent)}", todo)
    else:
        yield Finding("live view", "ok", f"anywidget {_version('anywidget')}, ipywidgets {_version('ipywidgets')}")


def extras() -> Iterator[Finding]:
    """The optional parts, as `pip install 'claude-nb[NAME]'` brings them."""
    for extra, modules in _EXTRAS.items():
        absent = [module for module in modules if importlib.util.find_spec(module) is None]
        if absent:
            todo = f"pip install 'claude-nb[{extra}]' if you want it"
            yield Finding(f"extra {extra}", "optional", f"without {', '.join(absent)}", todo)
        else:
            yield Finding(f"extra {extra}", "ok", "installed")


def as_text(findings: Iterable[Finding]) -> str:
    """A line for each finding, and under it what to do about it."""
    findings = list(findings)
    width = max(len(finding.name) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{finding.state:<8}  {finding.name:<{width}}  {finding.text}")
        if finding.todo:
            lines.append(f"{'':8}  {'':{width}}  -> {finding.todo}")
    missing = [finding.name for finding in findings if finding.missing]
    lines += ["", f"Missing: {', '.join(missing)}." if missing else "All that %%claude needs is here."]
    return "\n".join(lines)


def as_json(findings: Iterable[Finding]) -> str:
    """The findings as a JSON object: `ok` (nothing needed is missing) and `findings`."""
    findings = list(findings)
    ok = not any(finding.missing for finding in findings)
    value: dict[str, Any] = {"ok": ok, "findings": [asdict(finding) for finding in findings]}
    return json.dumps(value, indent=2)


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _lab_extension(name: str) -> bool:
    from jupyter_core.paths import jupyter_path

    return any((Path(folder) / name / "package.json").is_file() for folder in jupyter_path("labextensions"))


def _succeeds(command: tuple[str, ...]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=5).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
