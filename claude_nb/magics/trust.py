"""Whether a folder's own Claude settings may load: only after a person has seen them, and only as they were seen.

Layer 5, below `notebook` and above `listing` (how they are shown). A project's `.claude/settings.json` runs hooks
unasked and can send requests, the API key included, elsewhere (protocol page 9); a folder is not trusted because a
kernel started in it. What was trusted is remembered by the hash of all that would load, outside the folder; any change
asks again.

What loads with the sources `project` and `local`, measured on CLI 2.1.332: of the folder itself everything below; of
every folder above it, up to the root of the disk, memory, rules and `.mcp.json` (its servers start unasked); agents,
commands, skills and the like up to the root of the git repository; `settings.local.json` also of that root, and of the
main checkout where the folder is in a worktree. Here all of it counts on every level: what is listed and does not load
does no harm. Of folders below, memory, rules and skills load when the agent reads there; they are text. Hooks, servers
and allowed tools in the frontmatter of skills and agents, and plugins among the skills, do nothing unless the CLI's
own record trusts the folder, and that is never written here.

A running CLI reloads settings, skills, agents and commands when their files change, within a turn. `guard_trust` is
what stops that: measured, a blocked change to settings holds until something else reloads them. That is a change of
the user's own settings, so while the folder is not as it was loaded every change is blocked; and rules told to the CLI
or kept in a file by it, so `session` holds those back. A new mode or model does not reload. Other files (memory,
`.mcp.json`) are looked at when the CLI starts and before each prompt. A change in the moment between that look and the
CLI's own is not seen.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from claude_nb.magics import listing, memory
from claude_nb.protocol.hook import HookContext, HookMatcher, Hooks
from claude_nb.protocol.permission import PermissionUpdate
from claude_nb.protocol.rule import written
from claude_nb.sessions.paths import config_home

_NAME = "trust"

# In `.claude`, and beside it.
SETTINGS = ("settings.json", "settings.local.json")
INSIDE = (*SETTINGS, "CLAUDE.md")
FOLDERS = ("rules", "agents", "commands", "skills", "output-styles", "workflows", "routines", "plugins", "hooks")
BESIDE = (".mcp.json", "CLAUDE.md", "CLAUDE.local.md")

MOST_FILES = 2_000
MOST_BYTES = 20_000_000
MOST_LEVELS = 40
_IMPORT = re.compile(r"(?:^|\s)@((?:[^\s\\]|\\ )+)")
_IMPORTS_DEEP = 5


@dataclass(slots=True)
class FolderSettings:
    """What would come into a session of `folder`: `files` are contents by full path, nearest first, `digest` the hash
    of all of it, empty if there is more than can be shown."""

    folder: Path
    digest: str
    files: dict[Path, bytes] = field(default_factory=dict)

    def __str__(self) -> str:
        if not self.digest:
            return f"More than {MOST_FILES:,} files or {MOST_BYTES:,} bytes: too much to be shown."
        return "\n".join(listing.describe(path, data) for path, data in self.files.items())

    @property
    def whole(self) -> bool:
        """Whether all of it can be shown."""
        return bool(self.digest)

    @property
    def permissions(self) -> dict[str, list[str]]:
        """`allow` and `additionalDirectories` of the folder's own settings, which the CLI by itself leaves out.

        They are meant for a settings object that is handed to the CLI, so what is relative to the project is absolute.
        """
        given: dict[str, list[str]] = {"allow": [], "additionalDirectories": []}
        for name in SETTINGS:
            asked = (listing.parse(self.files.get(self.folder / ".claude" / name, b"")) or {}).get("permissions")
            for key, values in given.items():
                listed = asked.get(key) if isinstance(asked, dict) else None
                values += [v for v in (listed if isinstance(listed, list) else []) if isinstance(v, str)]
        given["allow"] = [_rooted(rule, self.folder) for rule in given["allow"]]
        given["additionalDirectories"] = [str(self.folder / path) for path in given["additionalDirectories"]]
        return {key: values for key, values in given.items() if values}


_PATH_RULE = re.compile(r"\A(Read|Edit|MultiEdit|Write|NotebookEdit|Glob|Grep)\(/(?!/)")


def _rooted(rule: str, folder: Path) -> str:
    # In a settings file `/src` is of the project; in settings handed over it would be of a temporary folder.
    return _PATH_RULE.sub(lambda m: f"{m[1]}(/{folder.as_posix()}/", rule)


class _TooMuchError(Exception):
    """A bound was reached."""


class _Found:
    """Files with their contents, within bounds."""

    def __init__(self) -> None:
        self.files: dict[Path, bytes] = {}
        self._looked_at = 0
        self._room = MOST_BYTES

    def add(self, path: Path) -> bool:
        """Take the file in; False if it is there already or is no file. Raises _TooMuchError."""
        self._looked_at += 1
        data = None if path in self.files else _read(path, self._room + 1)
        if data is not None:
            self.files[path] = data
            self._room -= len(data)
        if self._room < 0 or self._looked_at > MOST_FILES:
            raise _TooMuchError
        return data is not None


def _read(path: Path, most: int = 10_000) -> bytes | None:
    try:
        if not path.is_file():  # a pipe would be waited for
            return None
        with path.open("rb") as file:
            return file.read(most)
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return None


def read_folder(folder: Path) -> FolderSettings | None:
    """What Claude settings the folder has, those of the folders above included; None if there are none."""
    found = _Found()
    try:
        for path in _paths(folder):
            found.add(path)
        _add_imports(found, folder)
    except _TooMuchError:
        return FolderSettings(folder, "", found.files)
    if not found.files:
        return None
    digest = hashlib.sha256()
    for path, data in sorted(found.files.items()):
        digest.update(f"{path.as_posix()}\0{len(data)}\0".encode(errors="surrogateescape"))
        digest.update(data)
    return FolderSettings(folder, digest.hexdigest(), found.files)


def _paths(folder: Path) -> Iterator[Path]:
    """Where settings may lie, nearest first."""
    for level in (folder, *folder.parents):
        yield from _of_level(level)
        main = _main_checkout(level)
        if main is not None and main != level:
            yield from _of_level(main)


def _of_level(level: Path) -> Iterator[Path]:
    yield from (level / name for name in BESIDE)
    if os.path.realpath(level / ".claude") == os.path.realpath(config_home()):
        return  # the user's own, loaded in any case
    yield from (level / ".claude" / name for name in INSIDE)
    for name in FOLDERS:
        yield from _walk(level / ".claude" / name, ())


def _walk(top: Path, above: tuple[str, ...]) -> Iterator[Path]:
    """All below a folder, links followed, those that lead back left out. Raises _TooMuchError."""
    real = os.path.realpath(top)
    if real in above:
        return
    if len(above) > MOST_LEVELS:
        raise _TooMuchError
    try:
        names = sorted(os.listdir(top))
    except OSError:
        return
    for path in (top / name for name in names):
        yield path
        if path.is_dir():
            yield from _walk(path, (*above, real))


def _main_checkout(level: Path) -> Path | None:
    """The folder of the repository that this one is a worktree of."""
    pointer = _read(level / ".git")
    if pointer is None:
        return None
    kept = level / os.fsdecode(pointer).removeprefix("gitdir:").strip()
    common = _read(kept / "commondir")
    return None if common is None else Path(os.path.realpath(kept / os.fsdecode(common).strip())).parent


def _add_imports(found: _Found, folder: Path) -> None:
    """Files of the folder that its instructions take in with `@path`; the CLI takes none from elsewhere unasked."""
    new = [path for path in found.files if path.name in BESIDE or "/.claude/rules/" in path.as_posix()]
    for _ in range(_IMPORTS_DEEP):
        names = ((path, name) for path in new for name in _IMPORT.findall(found.files[path].decode(errors="replace")))
        targets = (os.path.normpath(path.parent / name.replace("\\ ", " ").split("#")[0]) for path, name in names)
        new = [path for path in map(Path, targets) if path.is_relative_to(folder) and found.add(path)]


# -- what was trusted ------------------------------------------------------------------------------------------


def is_trusted(settings: FolderSettings) -> bool:
    """Whether exactly these settings of this folder were trusted."""
    return settings.whole and memory.recall(_NAME).get(os.path.realpath(settings.folder)) == settings.digest


def was_trusted(settings: FolderSettings) -> bool:
    """Whether this folder was trusted with other settings than it has now."""
    return memory.recall(_NAME).get(os.path.realpath(settings.folder)) not in (None, settings.digest)


def is_unchanged(settings: FolderSettings) -> bool:
    """Whether the folder has these settings still."""
    now = read_folder(settings.folder)
    return now is not None and now.whole and now.digest == settings.digest


def remember(settings: FolderSettings) -> None:
    """Trust these settings from now on. Written whole or not at all. Raises ValueError if they cannot be shown."""
    if not settings.whole:
        raise ValueError("settings that cannot be shown cannot be trusted")
    memory.keep(_NAME, {**memory.recall(_NAME), os.path.realpath(settings.folder): settings.digest})


def forget(folder: Path) -> None:
    """Trust this folder's settings no longer."""
    known = memory.recall(_NAME)
    if known.pop(os.path.realpath(folder), None) is not None:
        memory.keep(_NAME, known)


def renew(before: FolderSettings, updates: Iterable[PermissionUpdate]) -> bool:
    """Go on trusting a folder that differs from what was trusted by nothing but these updates; whether it does so.

    A person has allowed them on a card, to be kept in the folder's own settings, and the CLI wrote them there.
    """
    now = read_folder(before.folder)
    if now is None or not now.whole or not is_trusted(before):
        return False
    added: dict[Path, list[PermissionUpdate]] = {}
    for update in updates:
        if name := _KEPT_IN.get(update.destination or ""):
            added.setdefault(before.folder / ".claude" / name, []).append(update)
    changed = {path for path in before.files.keys() | now.files.keys() if before.files.get(path) != now.files.get(path)}
    if not changed or not changed <= added.keys():
        return False
    for path in changed:
        old, new = (listing.parse(data) for data in (before.files.get(path, b"{}"), now.files.get(path, b"")))
        if old is None or new is None or _plain(_with(old, added[path])) != _plain(new):
            return False
    remember(now)
    return True


_KEPT_IN = {"projectSettings": SETTINGS[0], "localSettings": SETTINGS[1]}


def _with(content: dict[str, Any], updates: Iterable[PermissionUpdate]) -> dict[str, Any]:
    """The settings after these updates."""
    given = content.get("permissions")
    permissions = dict(given) if isinstance(given, dict) else {}
    for update in updates:
        match update:
            case PermissionUpdate(type="addRules", behavior="allow", rules=[*rules]):
                key, values = "allow", [written(rule.tool_name, rule.rule_content) for rule in rules]
            case PermissionUpdate(type="addDirectories", directories=[*values]):
                key = "additionalDirectories"
            case _:
                continue
        permissions[key] = [*permissions.get(key, []), *values]
    return {**content, "permissions": permissions}


def _plain(content: dict[str, Any]) -> dict[str, Any]:
    """Settings without what makes no difference in their permissions: the order of rules, and rules said twice."""
    permissions = content.get("permissions")
    if not isinstance(permissions, dict):
        return content
    lists = {key: sorted(set(map(str, v))) if isinstance(v, list) else v for key, v in permissions.items()}
    return {**content, "permissions": lists}


def guard_trust(trusted: FolderSettings) -> Hooks:
    """Hooks that keep a CLI that was started with these settings from loading others while it runs."""

    async def refuse(input: Any, tool_use_id: str | None, context: HookContext) -> Any:
        if is_unchanged(trusted):
            return {}
        return {"decision": "block", "reason": "The folder's settings are not those that were trusted."}

    return {"ConfigChange": [HookMatcher(hooks=[refuse], on_failure="block")]}
