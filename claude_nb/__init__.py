"""claude_nb: a coding agent in the notebook, and the async engine under it."""

__version__ = "0.1.0.dev0"
