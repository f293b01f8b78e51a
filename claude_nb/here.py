"""Going back, from Python code of the notebook: what `%claude checkpoints` and `%claude rewind` do, as functions.

Layer 5, beside the magics, which are asked late: importing them takes IPython. Nothing here asks before it acts. Call
it on the notebook's main thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from claude_nb.conversation.rewind import Checkpoint, Rewound
from claude_nb.errors import OptionsError, RewindError

if TYPE_CHECKING:
    from claude_nb.magics.rewind import Rewinds


def checkpoints(session: str | None = None) -> list[Checkpoint]:
    """The prompts of a session (default: the notebook's) that can be gone back to, oldest first.

    Each says which files going back to it would change now (`files`, absolute paths; None: the CLI has no checkpoint of
    them), by how many lines. Empty when nothing was asked yet. Raises what keeps the CLI from starting, and RewindError
    where the extension is not loaded.
    """
    return _rewinds().checkpoints(session)


def rewind(
    checkpoint: int | Checkpoint,
    *,
    files: bool = True,
    conversation: bool = True,
    summarise: bool = False,
    session: str | None = None,
) -> Rewound:
    """Go back to before a prompt: bring the files back as they were, and cut the conversation there.

    `checkpoint` is its number (1 is the first prompt) or one of `checkpoints()`. With `summarise` the model is told a
    summary of what is cut off. The next `%%claude` goes on from there; `undo_rewind` takes it back. Files that other
    tools than Write, Edit and NotebookEdit changed, and the kernel's variables, stay as they are, and so does the open
    notebook. Raises RewindError when there is no such checkpoint, or a turn is running.
    """
    if not files and not conversation:
        raise OptionsError("rewind has nothing to do with files=False and conversation=False")
    number = checkpoint if isinstance(checkpoint, int) else _number(checkpoint)
    if isinstance(checkpoint, Checkpoint):
        session = session or checkpoint.session
    scope = "both" if files and conversation else "files" if files else "conversation"
    return _rewinds().rewind(number, scope, summarise=summarise, name=session)  # type: ignore[arg-type]


def undo_rewind(session: str | None = None) -> Rewound:
    """Take the last rewind of a session back: files and conversation as they were just before it.

    Raises RewindError if there was none since the kernel started, or a turn is running.
    """
    return _rewinds().undo(session)


def _number(checkpoint: Checkpoint) -> int:
    """Its number now: an earlier rewind may have taken it away."""
    found = next((one for one in checkpoints(checkpoint.session) if one.id == checkpoint.id), None)
    if found is None:
        raise RewindError(f"Checkpoint {checkpoint.number} of session '{checkpoint.session}' is no longer there.")
    return found.number


def _rewinds() -> Rewinds:
    from claude_nb.magics import loaded_notebook

    notebook = loaded_notebook()
    if notebook is None:
        raise RewindError("Load the extension first: %load_ext claude_nb")
    return notebook.rewinds
