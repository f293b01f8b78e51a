"""The `claude-nb` command: `demo`, `doctor`, `version`.

The top layer: arguments in, an exit code out. What the commands do is in `demo/` and `doctor.py`, imported when
asked for.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from claude_nb import __version__


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; `arguments` default to the process's own. Returns the exit code."""
    args = make_parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = args.command
    try:
        return command(args)
    except KeyboardInterrupt:
        print("\nStopped.")
        return 0 if args.interrupt_is_normal else 130


def make_parser() -> argparse.ArgumentParser:
    """The command line: one subparser a command, each with the function that runs it."""
    parser = argparse.ArgumentParser(
        prog="claude-nb", description="A coding agent in the notebook: the tour, and a look at what is installed."
    )
    parser.add_argument("--version", action="version", version=f"claude-nb {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    demo = commands.add_parser(
        "demo",
        help="open JupyterLab on a tour; no account needed",
        description="Open JupyterLab on a tour whose %%claude cells are answered by a scripted model on this "
        "machine: no account, no key, no internet. Ctrl-C stops everything.",
    )
    demo.add_argument("--real", action="store_true", help="let your own account answer instead; this costs money")
    demo.add_argument(
        "--check", action="store_true", help="no JupyterLab: run the tour and exit 0 only if every cell answered"
    )
    demo.add_argument(
        "--out",
        type=Path,
        default=Path("claude-nb-demo"),
        metavar="DIR",
        help="where --check writes tour.ipynb and tour.html (default: %(default)s)",
    )
    demo.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    demo.add_argument("--port", type=int, default=8888, help="first port to try (default: %(default)s)")
    demo.add_argument("--folder", type=Path, help="where the demo keeps its files (default: a new temporary folder)")
    demo.set_defaults(command=_demo, interrupt_is_normal=True)

    doctor = commands.add_parser(
        "doctor",
        help="show what was found, and what to do about what was not",
        description="Look for all that %%claude needs: the CLI, credentials (never shown), kernel and front end. "
        "Exits 1 if something needed is missing.",
    )
    doctor.add_argument("--json", action="store_true", help="print it as JSON")
    doctor.set_defaults(command=_doctor, interrupt_is_normal=False)

    version = commands.add_parser("version", help="print the version")
    version.set_defaults(command=_version, interrupt_is_normal=False)
    return parser


def _demo(args: argparse.Namespace) -> int:
    from claude_nb.demo import lab
    from claude_nb.demo.check import check

    try:
        if not args.check:
            lab.run(real=args.real, browser=not args.no_browser, port=args.port, folder=args.folder)
            return 0
        print("Your own account answers." if args.real else "A scripted model answers.", flush=True)
        checked = check(args.out, real=args.real)
    except lab.DemoError as error:
        print(f"claude-nb demo: {error}", file=sys.stderr)
        return 1
    print(f"Notebook: {checked.notebook}\nPage:     {checked.page}")
    for problem in checked.problems:
        print(f"Problem:  {problem}", file=sys.stderr)
    print(f"{checked.prompts} prompts, {len(checked.problems)} problems.")
    return 1 if checked.problems else 0


def _doctor(args: argparse.Namespace) -> int:
    from claude_nb.doctor import as_json, as_text, examine

    findings = examine()
    print(as_json(findings) if args.json else as_text(findings))
    return 1 if any(finding.missing for finding in findings) else 0


def _version(args: argparse.Namespace) -> int:
    print(__version__)
    return 0
