"""The demo: a scripted model, the tour's script, and JupyterLab set up to show them.

Above: the `claude-nb` command and `claude_nb.testing`. Below: the magics, used from the tour's cells as a user
would. Nothing here is imported by the rest of the package.
"""

from .place import who_answers

__all__ = ["who_answers"]
