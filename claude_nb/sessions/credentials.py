"""What a CLI that runs in a config folder of its own needs of the user's: credentials and settings, copied.

Above: `resume`. Below: `paths` and, on macOS, `security`. Facts: protocol page 4.2, CLI 2.1.329.
"""

from __future__ import annotations

import getpass
import json
import logging
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .paths import config_home

log = logging.getLogger(__name__)

_KEYCHAIN = "Claude Code-credentials"
_TOKENS_IN_ENV = ("ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN")


def copy_settings(target: Path, env: Mapping[str, str] | None = None) -> None:
    """Copy the user's credentials and settings into the config folder `target`; what is missing is left out.

    `env` is what the CLI's environment adds to this process's. Files are readable by their owner alone.
    """
    home = config_home(env=env)
    everything = {**os.environ, **(env or {})}
    own_place = everything.get("CLAUDE_CONFIG_DIR")
    credentials = _read(home / ".credentials.json")
    if not own_place and not any(everything.get(name) for name in _TOKENS_IN_ENV):
        # The keychain's entry is named after the config folder: the CLI would not find it from a new one.
        credentials = _from_keychain() or credentials
    # Of all files this one alone is where the variable says to the letter, not composed (NFC): CLI 2.1.329.
    account = (Path(own_place) if own_place else home.parent) / ".claude.json"
    for name, data in (
        (".credentials.json", _edited(credentials, _without_refresh_token)),
        (".claude.json", _read(account)),
        ("settings.json", _edited(_read(home / "settings.json"), _without_plugins)),
        ("cowork_settings.json", _edited(_read(home / "cowork_settings.json"), _without_plugins)),
    ):
        if data is not None:
            write_private(target / name, data)


def write_private(path: Path, data: bytes) -> None:
    """Write a new file that only its owner can read."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def _without_refresh_token(credentials: dict[str, Any]) -> None:
    # It works once: used in the temporary folder, the new one would be lost and the user logged out.
    oauth = credentials.get("claudeAiOauth")
    if isinstance(oauth, dict):
        oauth.pop("refreshToken", None)


def _without_plugins(settings: dict[str, Any]) -> None:
    # The temporary folder has no plugins: the CLI would fetch each of them anew.
    settings.pop("enabledPlugins", None)
    settings.pop("extraKnownMarketplaces", None)
    if isinstance(env := settings.get("env"), dict):
        env.pop("CLAUDE_CONFIG_DIR", None)  # would lead the CLI away again


def _edited(data: bytes | None, edit: Callable[[dict[str, Any]], None]) -> bytes | None:
    """`data` after `edit` of the JSON object in it; as it is if it holds none (the CLI judges it then)."""
    try:
        content = json.loads((data or b"").decode("utf-8-sig"))
        if not isinstance(content, dict):
            return data
        edit(content)
        return json.dumps(content, allow_nan=False).encode()
    except ValueError:
        return data


def _read(path: Path) -> bytes | None:
    """What a regular file holds; None for anything else (a pipe would block) or if it cannot be read."""
    try:
        return path.read_bytes() if stat.S_ISREG(path.stat().st_mode) else None
    except FileNotFoundError:
        return None
    except OSError as error:
        log.warning("%s is not copied for the resumed session: %s", path, error)
        return None


def _from_keychain() -> bytes | None:
    """The credentials that the CLI keeps in the macOS keychain, None elsewhere or if there are none."""
    if sys.platform != "darwin":
        return None
    user = os.environ.get("USER") or getpass.getuser()
    try:
        done = subprocess.run(
            ["security", "find-generic-password", "-a", user, "-w", "-s", _KEYCHAIN],
            capture_output=True,
            timeout=5,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
