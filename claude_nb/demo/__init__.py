"""The demo: a scripted model, the tour's script, and JupyterLab set up to show them.

Above: the `claude-nb` command and `claude_nb.testing`. Below: the engine and the magics, used as a user
would. Nothing here is imported by the rest of the package.
"""
