"""The arguments of `%%claude`, read as IPython's magics read theirs."""

from __future__ import annotations

import argparse
import os
import shlex
from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic_arguments import MagicArgumentParser

PARSER_EPILOG = """
Everything below the first line is the prompt. {{ name }} in it is replaced by the value of that variable: names,
attributes, constant subscripts and a format ({{ df.shape }}, {{ d["k"] }}, {{ x:.2f }}). Single braces stay.
"""

ARGUMENTS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("-m", "--model"), {"metavar": "NAME", "help": "model for this session, from this prompt on"}),
    (
        ("-s", "--session"),
        {"metavar": "NAME", "help": "a conversation of its own under that name (default: the notebook's)"},
    ),
    (("-o", "--out"), {"metavar": "NAME", "help": "variable that gets the finished answer, a Turn"}),
    (("-t", "--tool"), {"metavar": "FUNCTION", "action": "append", "help": "a function of yours the agent may call"}),
    (("--cwd",), {"metavar": "FOLDER", "help": "the agent's working folder; only for a session's first prompt"}),
    (
        ("--bg",),
        {
            "action": "store_true",
            "help": "in a notebook, return at once; the answer goes on filling the cell",
        },
    ),
    (("--new",), {"action": "store_true", "help": "forget this session's conversation first"}),
    (("--raw",), {"action": "store_true", "help": "send the prompt as it is, {{ }} included"}),
    (("--no-raise",), {"action": "store_true", "help": "show a failed turn, but let Run All go on"}),
    (("-q", "--quiet"), {"action": "store_true", "help": "show nothing but errors; use it with --out"}),
)


def make_parser() -> MagicArgumentParser:
    """The parser of the cell magic's first line; it raises UsageError on what it does not know."""
    parser = MagicArgumentParser(
        prog="%%claude",
        description="Ask the agent; its answer streams into this cell's output.",
        epilog=PARSER_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    parser.allow_abbrev = False
    for flags, settings in ARGUMENTS:
        parser.add_argument(*flags, **settings)
    parser.add_argument("-h", "--help", action="store_true", help="this help")
    return parser


def parse(line: str) -> argparse.Namespace:
    """The options on the first line of a cell. Raises UsageError, which says where the prompt belongs."""
    try:
        args, rest = make_parser().parse_known_args(_words(line))
    except UsageError as error:
        raise UsageError(f"{error} (`%%claude?` lists the options)") from None
    except ValueError as error:  # a quote that is never closed, as in a prompt
        raise UsageError(f"%%claude {line}: {error}. {_PROMPT_BELOW}") from None
    if any(not word.startswith("-") for word in rest):
        raise UsageError(f"%%claude does not know what to do with: {' '.join(rest)}. {_PROMPT_BELOW}")
    if rest:
        raise UsageError(f"unrecognized arguments: {' '.join(rest)} (`%%claude?` lists the options)")
    return args


_PROMPT_BELOW = "The prompt goes into the lines below; the first one holds options only (`%%claude?` lists them)."


def _words(line: str) -> list[str]:
    if os.name != "nt":
        return shlex.split(line)
    # There a backslash belongs to a path.
    return [word.strip("\"'") for word in shlex.split(line, posix=False)]
