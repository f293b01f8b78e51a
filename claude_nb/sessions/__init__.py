"""Sessions as they are stored: transcripts on disk, stores elsewhere, and who may run a session.

Above: the engine (mirroring, resuming from a store, locks), the notebook, users. Below: `errors`, the standard
library, anyio and (late) fsspec. No process of the CLI is started here.
"""

from .catalog import (
    get_session_info,
    get_session_messages,
    get_subagent_messages,
    list_sessions,
    list_subagents,
)
from .change import delete_session, fork_session, rename_session, tag_session
from .from_store import (
    delete_session_via_store,
    fork_session_via_store,
    get_session_info_from_store,
    get_session_messages_from_store,
    get_subagent_messages_from_store,
    list_sessions_from_store,
    list_subagents_from_store,
    rename_session_via_store,
    tag_session_via_store,
)
from .lock import SessionLock
from .mirror import Mirror, MirrorFailure, import_session_to_store
from .model import (
    ForkSessionResult,
    SDKSessionInfo,
    SessionKey,
    SessionListSubkeysKey,
    SessionMessage,
    SessionStoreEntry,
    SessionStoreFlushMode,
    SessionStoreListEntry,
    SessionSummaryEntry,
)
from .paths import project_key_for_directory, projects_dir
from .remote import FsspecSessionStore
from .resume import MaterializedResume, check_store_options, materialize_resume
from .store import InMemorySessionStore, SessionStore
from .summary import fold_session_summary

__all__ = [
    "ForkSessionResult",
    "FsspecSessionStore",
    "InMemorySessionStore",
    "MaterializedResume",
    "Mirror",
    "MirrorFailure",
    "SDKSessionInfo",
    "SessionKey",
    "SessionListSubkeysKey",
    "SessionLock",
    "SessionMessage",
    "SessionStore",
    "SessionStoreEntry",
    "SessionStoreFlushMode",
    "SessionStoreListEntry",
    "SessionSummaryEntry",
    "check_store_options",
    "delete_session",
    "delete_session_via_store",
    "fold_session_summary",
    "fork_session",
    "fork_session_via_store",
    "get_session_info",
    "get_session_info_from_store",
    "get_session_messages",
    "get_session_messages_from_store",
    "get_subagent_messages",
    "get_subagent_messages_from_store",
    "import_session_to_store",
    "list_sessions",
    "list_sessions_from_store",
    "list_subagents",
    "list_subagents_from_store",
    "materialize_resume",
    "project_key_for_directory",
    "projects_dir",
    "rename_session",
    "rename_session_via_store",
    "tag_session",
    "tag_session_via_store",
]
