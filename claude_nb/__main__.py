"""`python -m claude_nb` is the `claude-nb` command."""

import sys

from claude_nb.cli import main

if __name__ == "__main__":
    sys.exit(main())
