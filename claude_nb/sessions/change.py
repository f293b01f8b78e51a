"""Sessions on this machine's disk: rename, tag, delete, fork.

Above: users and the notebook. Below: `paths` finds files, `fork` makes the copy. A change appends one line or makes
a new file; nothing that the CLI wrote is written again, so a session that is running stays whole. All calls block on
the disk. Names and call shapes follow the official Python SDK 0.2.186; `config_dir` is ours.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import unicodedata
from pathlib import Path

from claude_nb.errors import SessionNotFoundError

from .fork import fork_entries
from .model import Entry, ForkSessionResult
from .paths import check_session_id, config_home, find_transcript
from .transcript import dump, parse


def rename_session(
    session_id: str, title: str, directory: str | Path | None = None, *, config_dir: str | Path | None = None
) -> None:
    """Give a session a title. The last one given counts.

    Raises ValueError for a bad id or an empty title, SessionNotFoundError (a FileNotFoundError) if there is no
    such session, OSError if it cannot be written.
    """
    _append(session_id, title_entry(session_id, title), directory, config_dir)


def tag_session(
    session_id: str, tag: str | None, directory: str | Path | None = None, *, config_dir: str | Path | None = None
) -> None:
    """Put a tag on a session; None takes it off. Invisible characters in it are removed. Raises as rename_session."""
    _append(session_id, tag_entry(session_id, tag), directory, config_dir)


def delete_session(
    session_id: str, directory: str | Path | None = None, *, config_dir: str | Path | None = None
) -> None:
    """Remove a session's transcript, its sub-agents' and its file checkpoints, for good. Raises as rename_session."""
    path = _find(session_id, directory, config_dir)
    try:
        path.unlink()
    except FileNotFoundError:
        raise SessionNotFoundError(f"Session {session_id} was deleted meanwhile") from None
    for folder in (path.with_suffix(""), config_home(config_dir) / "file-history" / session_id):
        shutil.rmtree(folder, ignore_errors=True)


def fork_session(
    session_id: str,
    directory: str | Path | None = None,
    up_to_message_id: str | None = None,
    title: str | None = None,
    *,
    config_dir: str | Path | None = None,
) -> ForkSessionResult:
    """Copy a session's conversation into a new one, which can be resumed by its id.

    `up_to_message_id` is the uuid of the last message to keep. The original stays as it is. File checkpoints come
    along, under the new uuids of their prompts (`message_ids` of the result). Raises as rename_session, and
    ValueError if there is nothing to copy or no such message.
    """
    if up_to_message_id is not None:
        check_session_id(up_to_message_id, "up_to_message_id")
    path = _find(session_id, directory, config_dir)
    fork = fork_entries(parse(path.read_bytes()), session_id, up_to=up_to_message_id, title=title, checkpoints=True)
    backups = config_home(config_dir) / "file-history"
    if (backups / session_id).is_dir():
        shutil.copytree(backups / session_id, backups / fork.session_id)
    write_transcript(path.with_name(f"{fork.session_id}.jsonl"), fork.entries)
    return ForkSessionResult(fork.session_id, fork.uuids)


def title_entry(session_id: str, title: str) -> Entry:
    """The line that names a session. Raises ValueError for a bad id or an empty title."""
    check_session_id(session_id)
    if not (title := title.strip()):
        raise ValueError("title must not be empty")
    return {"type": "custom-title", "customTitle": title, "sessionId": session_id}


def tag_entry(session_id: str, tag: str | None) -> Entry:
    """The line that tags a session. Raises ValueError for a bad id or a tag with nothing visible in it."""
    check_session_id(session_id)
    if tag is not None and not (tag := _visible(tag)):
        raise ValueError("tag must not be empty (None takes the tag off)")
    return {"type": "tag", "tag": tag or "", "sessionId": session_id}


def _visible(text: str) -> str:
    """`text` in compatibility form, without characters that have no look of their own (format, private, unassigned)."""
    while True:
        clean = unicodedata.normalize("NFKC", text)
        clean = "".join(c for c in clean if unicodedata.category(c) not in ("Cf", "Co", "Cn", "Cs")).strip()
        if clean == text:
            return clean
        text = clean


def write_transcript(path: Path, entries: list[Entry]) -> None:
    """Write a new transcript, readable by its owner alone. The file is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-", suffix=".part")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(map(dump, entries))
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _find(session_id: str, directory: str | Path | None, config_dir: str | Path | None) -> Path:
    path = find_transcript(check_session_id(session_id), directory, config_dir)
    if path is None:
        where = f"for {directory}" if directory is not None else "in any project"
        raise SessionNotFoundError(f"No session {session_id} {where}. list_sessions() shows those there are.")
    return path


def _append(session_id: str, entry: Entry, directory: str | Path | None, config_dir: str | Path | None) -> None:
    """Add a line to a transcript that exists, also while the CLI writes to it."""
    path = _find(session_id, directory, config_dir)
    # Without O_CREAT: a session deleted meanwhile does not come back as a stub.
    try:
        handle = os.open(path, os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise SessionNotFoundError(f"Session {session_id} was deleted meanwhile") from None
    with os.fdopen(handle, "rb+", buffering=0) as file:
        line = dump(entry)
        if _ends_in_half_a_line(file.fileno()):
            line = b"\n" + line  # else ours would be lost together with the one that was cut off
        while line:
            line = line[file.write(line) or 0 :]


def _ends_in_half_a_line(handle: int) -> bool:
    size = os.lseek(handle, 0, os.SEEK_END)
    if size == 0:
        return False
    os.lseek(handle, size - 1, os.SEEK_SET)
    return os.read(handle, 1) != b"\n"
