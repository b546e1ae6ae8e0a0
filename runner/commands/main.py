"""The command line: its commands, their options, and what all of them have in common."""

from __future__ import annotations

import argparse
import io
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from ... import __version__
from ...reports.escaping import one_line
from ...spec.did_you_mean import meant
from ...spec.usage_error import UsageError
from ..gate.exit_status import NOT_COMPLETED, USAGE
from ..session.option_values import whole_number
from ..session.options import Options, argument_type

__all__ = ["main"]

_SETTINGS = """\
settings: options can stand in pyproject.toml, in [tool.lstm-conformance] (docs/options.md)

"""

_EXIT_STATUS = """\
exit status:
  0  the gate passes: nothing that must hold is broken, except for known deviations; with
     --baseline, nothing is worse; with --shard, nothing in it is broken
  1  the gate fails: a clause that must hold is broken; with --baseline, something is worse
  2  nothing could be judged: bad target, bad option, import failed
  3  not completed: interrupted, no case of some clause in --max-time, or the process was ended;
     what was judged is written
"""

_EXIT_STATUS_OF_DEFECTS = """\
exit status:
  0  all defects were killed, or with --profile smoke at least 95 of 100
  1  fewer were
  2  nothing could be judged: bad option, torch missing
  3  not completed: interrupted
"""

_EXIT_STATUS_OF_REPORT = """\
exit status:
  0  the report was made, whatever the verdict
  2  no report: results damaged, file not writable, package missing
"""

_EXIT_STATUS_OF_WAIVE = """\
exit status:
  0  the draft was made, even if nothing is broken
  2  no draft: results damaged, file there already or not writable
"""

_REPORT = (
    "This is a mistake of lstm-conformance: please report it, with the command and this sentence."
)

_RAW = argparse.RawDescriptionHelpFormatter


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    _prepare_streams()
    options = _parser().parse_args(arguments)
    try:
        status: int = options.command(options)
        sys.stdout.flush()
    except UsageError as problem:
        print(f"lstm-conformance: {one_line(str(problem))}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("lstm-conformance: interrupted.", file=sys.stderr)
        return NOT_COMPLETED
    except BrokenPipeError:  # who reads the output has seen enough
        _discard_output()
        return NOT_COMPLETED
    except OSError as error:
        _discard_output()
        print(f"lstm-conformance: not completed: {one_line(str(error))}.", file=sys.stderr)
        return NOT_COMPLETED
    except Exception as error:
        what = one_line(f"{type(error).__name__}: {error}")
        print(f"lstm-conformance: not completed: {what}. {_REPORT}", file=sys.stderr)
        return NOT_COMPLETED
    return status


def _prepare_streams() -> None:
    """Makes sure that every text can be printed, whatever the streams are."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _discard_output() -> None:
    """Keeps the interpreter from writing, as it ends, what could not be written."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(ArgumentParser):
    """A parser whose messages are one sentence each, without a list of all options.

    Options are written out: another release may have two that begin with the same letters.
    """

    def __init__(self, prog: str | None = None, **options: Any) -> None:
        super().__init__(prog, allow_abbrev=False, **options)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """Refuses an option that does not exist, and says which one may be meant."""
        found, unknown = super().parse_known_args(args, namespace)
        for word in unknown:
            if word.startswith("-"):
                name = word.partition("=")[0]
                self.error(f"there is no option {name}{meant(name, self._option_string_actions)}")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message} (see `{self.prog} --help`).\n")


def _parser() -> ArgumentParser:
    parser = _Parser(
        "lstm-conformance", description="Decides whether an LSTM is right, forward and backward."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_check(
        commands.add_parser(
            "check",
            help="judge an implementation",
            epilog=_SETTINGS + _EXIT_STATUS,
            formatter_class=_RAW,
        )
    )
    _add_merge(
        commands.add_parser(
            "merge",
            help="join the results of all shards",
            epilog=_EXIT_STATUS,
            formatter_class=_RAW,
        )
    )
    _add_report(
        commands.add_parser(
            "report",
            help="show results that were written before",
            description="One file: the report of it. Two files of one implementation, the older "
            "first: what changed. More files of one implementation, each of another version: the "
            "clauses beside the versions. Other files: the implementations beside each other.",
            epilog=_EXIT_STATUS_OF_REPORT,
            formatter_class=_RAW,
        )
    )
    _add_waive(
        commands.add_parser(
            "waive",
            help="draft a file of known deviations from results (docs/gate.md)",
            epilog=_EXIT_STATUS_OF_WAIVE,
            formatter_class=_RAW,
        )
    )
    _add_clauses(commands.add_parser("clauses", help="list the clauses, show one, or write a page"))
    _add_vectors(
        commands.add_parser(
            "vectors", help="write cases and their results, for tests without Python"
        )
    )
    _add_defects(
        commands.add_parser(
            "defects",
            help="test the suite: whether it kills LSTMs that are wrong on purpose",
            epilog=_EXIT_STATUS_OF_DEFECTS,
            formatter_class=_RAW,
        )
    )
    return parser


def _command(module: str, name: str) -> Callable[[Namespace], int]:
    """A command, whose module is imported when it runs."""

    def run(options: Namespace) -> int:
        function = getattr(import_module(f"{__package__}.{module}"), name)
        status: int = function(options)
        return status

    return run


def _add_check(parser: ArgumentParser) -> None:
    def check(arguments: Namespace) -> int:
        from .check import check, check_options

        return check(check_options(arguments))

    parser.set_defaults(command=check)
    Options.add_to_command(parser)
    parser.add_argument(
        "-x",
        dest="max_failures",
        action="store_const",
        const=1,
        help="stop after the first failing test, as --max-failures 1 does",
    )


def _add_merge(parser: ArgumentParser) -> None:
    parser.set_defaults(command=_command("merge", "merge"))
    add = parser.add_argument
    add(
        "results",
        metavar="RESULTS",
        nargs="+",
        type=Path,
        help="written by check --shard, one of each shard",
    )
    Options.add_to_command(parser, ("baseline", "json", "markdown", "verbose", "quiet"))


def _add_report(parser: ArgumentParser) -> None:
    parser.set_defaults(command=_command("report", "report"))
    add = parser.add_argument
    add("results", metavar="RESULTS", nargs="+", type=Path, help="written by check --json")
    add("--text", action="store_true", help="print tables (the default)")
    add("--html", type=Path, metavar="FILE", help="write a page; needs lstm-conformance[html]")
    add("--markdown", type=Path, metavar="FILE", help="write tables")
    add("--junit", type=Path, metavar="FILE", help="write XML for CI servers")
    add("--badge", type=Path, metavar="FILE", help="write an SVG; needs lstm-conformance[html]")
    add(
        "--job-summary", action="store_true", help="add tables to the job summary of GitHub Actions"
    )


def _add_waive(parser: ArgumentParser) -> None:
    parser.set_defaults(command=_command("waive", "waive"))
    add = parser.add_argument
    add("results", metavar="RESULTS", type=Path, help="written by check --json")
    add("--toml", type=Path, metavar="FILE", help="a new file for the draft (default: printed)")


def _add_clauses(parser: ArgumentParser) -> None:
    parser.set_defaults(command=_command("clauses", "clauses"))
    parser.add_argument(
        "names",
        metavar="ID",
        nargs="*",
        help="a clause, a chapter (EQ) or a pattern ('PACK-*'); one clause is printed with its "
        "text, its equation, its sources and what builds on it (default: all)",
    )
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the specification")


def _add_vectors(parser: ArgumentParser) -> None:
    parser.set_defaults(command=_command("vectors", "vectors"))
    parser.add_argument(
        "folder", metavar="DIR", type=Path, help="a new folder, or an empty one (docs/vectors.md)"
    )


def _add_defects(parser: ArgumentParser) -> None:
    parser.set_defaults(command=_command("defects", "defects"))
    add = parser.add_argument
    add("--profile", choices=("smoke", "default"), default="default", help="how much is judged")
    add("--defect", action="append", metavar="ID", help="repeatable (default: all)")
    add(
        "-n",
        dest="workers",
        type=argument_type(_positive),
        metavar="N",
        default=os.cpu_count() or 1,
        help="worker processes (default: one for each processor)",
    )
    add("--json", type=Path, metavar="FILE", help="write the results")
    add("--markdown", type=Path, metavar="FILE", help="write a page with every defect")


def _positive(text: str) -> int:
    number = whole_number(text)
    if number < 1:
        raise ValueError("at least 1 is needed")
    return number
