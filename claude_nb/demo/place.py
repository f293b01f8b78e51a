"""The demo's folder on disk and the environment of what runs in it.

Below: `model.py`, `policy.py`. Above: `lab.py` runs JupyterLab here, `check.py` a kernel alone. The work folder
holds the tour and what the agent makes; the state folder beside it holds home, Jupyter's and the CLI's
configuration, so the user's own are neither read nor changed.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from . import policy
from .model import ScriptedModel

WHO_VARIABLE: Final = "CLAUDE_NB_DEMO"

# JupyterLab asks about news and looks for updates on the internet unless told not to.
_QUIET: Final = {"fetchNews": "false", "checkForUpdates": False}


@dataclass(frozen=True, slots=True)
class Place:
    """A demo's folder. `work` is where the tour lies and the agent may write."""

    base: Path

    @property
    def work(self) -> Path:
        """Folder of the tour; the agent's working folder."""
        return self.base / "tour"

    @property
    def state(self) -> Path:
        """Folder of everything else: home, configuration, logs."""
        return self.base / "state"

    @property
    def notebook(self) -> Path:
        """The demo's own copy of the tour."""
        return self.work / "tour.ipynb"

    def prepare(self) -> None:
        """Make the folders, put the tour in its place (one that is there stays) and quieten JupyterLab."""
        self.work.mkdir(parents=True, exist_ok=True)
        if not self.notebook.exists():
            shutil.copyfile(tour_notebook(), self.notebook)
        settings = self.state / "lab-settings" / "@jupyterlab" / "apputils-extension"
        settings.mkdir(parents=True, exist_ok=True)
        (settings / "notification.jupyterlab-settings").write_text(json.dumps(_QUIET))

    def environment(self, model: ScriptedModel | None, inherited: Mapping[str, str] | None = None) -> dict[str, str]:
        """The whole environment for a kernel or server of the demo.

        With a model the CLI is led to it, in a home of its own; without one it finds the user's own account.
        """
        env = dict(os.environ if inherited is None else inherited)
        if model is not None:
            env.update(model.env(self.state))
        for name, folder in _JUPYTER.items():
            env[name] = str(self.state / folder)
        env[WHO_VARIABLE] = "real" if model is None else "scripted"
        env[policy.FOLDER_VARIABLE] = str(self.work)
        env["CLAUDE_NB_PERMISSION_POLICY"] = policy.NAME
        # The tour's agent runs `python report.py`: that is to be this Python.
        env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)])
        return env


_JUPYTER: Final = {
    "IPYTHONDIR": "ipython",
    "JUPYTER_CONFIG_DIR": "jupyter",
    "JUPYTER_DATA_DIR": "jupyter-data",
    "JUPYTER_RUNTIME_DIR": "jupyter-runtime",
    "JUPYTERLAB_SETTINGS_DIR": "lab-settings",
    "JUPYTERLAB_WORKSPACES_DIR": "lab-workspaces",
}


def tour_notebook() -> Path:
    """The tour as it was shipped: inside the installed package, or in the checkout's `notebooks`."""
    here = Path(__file__).parent
    packaged = here / "notebooks" / "tour.ipynb"
    return packaged if packaged.exists() else here.parent.parent / "notebooks" / "tour.ipynb"


def who_answers() -> str:
    """One sentence on who answers in this kernel, from its environment."""
    if os.environ.get(WHO_VARIABLE) == "scripted":
        return (
            "A scripted model on this machine answers in this demo: no account, no key, nothing leaves it. "
            "Its words are written beforehand; the tools it calls really run."
        )
    return "Your own account answers: this costs what your plan or API key says."
