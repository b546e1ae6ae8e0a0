"""The command line: ``lstm-conformance check TARGET``, and the commands besides."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ... import __version__
from ...adapters import REGISTRY
from ...spec.capabilities import CAPABILITIES
from ...spec.clause import Clause
from ...spec.clauses import CLAUSES, TESTABLE
from ...spec.precision import PRECISIONS
from ..searching.profiles import PROFILES
from ..session.budget import seconds_of
from ..session.shards import Shard

__all__ = ["main"]

_EXIT_STATUS = """\
exit status:
  0  conformant; with --baseline, not worse; with --shard, nothing in it is broken
  1  not conformant; with --baseline, worse
  2  the question could not be put: bad target, bad option, import failed
  3  not completed: interrupted, no case of some clause in --max-time, or the process was ended;
     what was judged is written
"""


_EXIT_STATUS_OF_DEFECTS = """\
exit status:
  0  all defects were killed, or with --profile smoke at least 95 of 100
  1  fewer were
  2  the question could not be put: bad option, torch missing
  3  not completed: interrupted
"""


_EXIT_STATUS_OF_REPORT = """\
exit status:
  0  the report was made, whatever the verdict
  2  it could not be: results damaged, file not writable, package missing
"""


_EXIT_STATUS_OF_WAIVE = """\
exit status:
  0  the draft was made, if of nothing
  2  it could not be: results damaged, file there already or not writable, package missing
"""


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    status: int = options.command(options)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "lstm-conformance", description="Decides whether an LSTM is right, forward and backward."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    check = commands.add_parser(
        "check",
        help="judge an implementation",
        epilog=_EXIT_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.set_defaults(command=_check)
    add = check.add_argument
    add(
        "target",
        metavar="TARGET",
        nargs="?",
        help="package.module:Attribute, path/to/file.py:Attribute, or "
        "the name of an adapter; an attribute is called like torch.nn.LSTM",
    )
    add("--exec", metavar="COMMAND", help="a program to be judged instead (docs/protocol.md)")
    add("--python", metavar="PATH", help="interpreter in which the adapter TARGET is run")
    add("--isolate", action="store_true", help="judge every case in a process that may crash")
    add("--time-limit", type=_amount, metavar="SECONDS", help="for a case there (default: 120)")
    add("--memory-limit", type=_amount, metavar="GIB", help="for that process (default: 8)")
    add("--profile", choices=PROFILES, default="default", help="how much is judged")
    add("--seed", type=_seed, help="of all that is drawn (default: 0; thorough draws one)")
    add("--dtype", action="append", choices=PRECISIONS, help="repeatable (default: all)")
    add("--device", action="append", metavar="NAME", help="repeatable (default: cpu)")
    add("--clause", action="append", metavar="ID", type=_clause, help="repeatable (default: all)")
    add(
        "--require",
        action="append",
        metavar="CAPABILITY",
        choices=CAPABILITIES,
        help="not to have it is a failure; repeatable",
    )
    add(
        "--without",
        action="append",
        metavar="CAPABILITY",
        choices=CAPABILITIES,
        help="do not use it, as if it were not there; repeatable",
    )
    add(
        "--case",
        metavar="LINE",
        help="judge one case, given by its line, by the clauses named or by COMB",
    )
    add(
        "--known-deviations",
        type=Path,
        metavar="FILE",
        help="clauses that are known to be broken, each with a reason (TOML)",
    )
    add("--shard", type=_shard, metavar="I/N", help="judge a part, to be merged (docs/gate.md)")
    add(
        "--max-time",
        type=_time,
        metavar="TIME",
        help="as 90s, 5m: judge the most telling cases first, and say what was not reached",
    )
    add("--resume", type=Path, metavar="RESULTS", help="judge only what these lack, and join both")
    add(
        "--baseline",
        type=Path,
        metavar="RESULTS",
        help="fail only on what got worse than in these results",
    )
    add(
        "--examples",
        action="append",
        metavar="DIR",
        help="try first what failed before, kept in a folder, redis://HOST, or "
        "github:OWNER/REPO (docs/gate.md); repeatable",
    )
    add("--json", type=Path, metavar="FILE", help="write the results")
    add("--markdown", type=Path, metavar="FILE", help="write a report")
    add(
        "-n",
        dest="workers",
        type=_count,
        metavar="N",
        default=min(os.cpu_count() or 1, 8),
        help="worker processes, 0 for none (default: one for each processor, at most 8)",
    )
    add(
        "--max-failures",
        type=_count,
        metavar="N",
        default=0,
        help="stop after this many failing tests (default: never)",
    )

    merge = commands.add_parser(
        "merge",
        help="join the results of all shards",
        epilog=_EXIT_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    merge.set_defaults(command=_merge)
    add = merge.add_argument
    add("results", metavar="RESULTS", nargs="+", type=Path, help="of check --shard, one of each")
    add(
        "--baseline",
        type=Path,
        metavar="RESULTS",
        help="fail only on what got worse than in these results",
    )
    add("--json", type=Path, metavar="FILE", help="write the results")
    add("--markdown", type=Path, metavar="FILE", help="write a report")

    report = commands.add_parser(
        "report",
        help="show results that were written before",
        description="One file: the report of it. Two files of one implementation, the older "
        "first: what changed. Other files: the implementations beside each other.",
        epilog=_EXIT_STATUS_OF_REPORT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    report.set_defaults(command=_report)
    add = report.add_argument
    add("results", metavar="RESULTS", nargs="+", type=Path, help="written by check --json")
    add("--text", action="store_true", help="print tables (done if nothing else is asked for)")
    add("--html", type=Path, metavar="FILE", help="write a page; needs lstm-conformance[html]")
    add("--markdown", type=Path, metavar="FILE", help="write tables")
    add("--junit", type=Path, metavar="FILE", help="write XML for CI servers")
    add("--badge", type=Path, metavar="FILE", help="write an SVG; needs lstm-conformance[html]")
    add("--job-summary", action="store_true", help="add Markdown to that of GitHub Actions")

    waive = commands.add_parser(
        "waive",
        help="draft a file of known deviations from results (docs/gate.md)",
        epilog=_EXIT_STATUS_OF_WAIVE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    waive.set_defaults(command=_waive)
    waive.add_argument("results", metavar="RESULTS", type=Path, help="written by check --json")
    waive.add_argument(
        "--toml", type=Path, metavar="FILE", help="a new file for the draft (default: printed)"
    )

    clauses = commands.add_parser("clauses", help="list what is judged, or write it as a page")
    clauses.add_argument("--markdown", type=Path, metavar="FILE", help="write the specification")
    clauses.set_defaults(command=_clauses)

    vectors = commands.add_parser(
        "vectors", help="write cases with what they must give, for tests without Python"
    )
    vectors.set_defaults(command=_vectors)
    vectors.add_argument(
        "folder", metavar="DIR", type=Path, help="a new folder, or an empty one (docs/vectors.md)"
    )

    defects = commands.add_parser(
        "defects",
        help="judge the suite: whether it kills LSTMs that are wrong on purpose",
        epilog=_EXIT_STATUS_OF_DEFECTS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    defects.set_defaults(command=_defects)
    add = defects.add_argument
    add("--profile", choices=("smoke", "default"), default="default", help="how much is judged")
    add("--defect", action="append", metavar="ID", help="repeatable (default: all)")
    add(
        "-n",
        dest="workers",
        type=_positive,
        metavar="N",
        default=os.cpu_count() or 1,
        help="worker processes (default: one for each processor)",
    )
    add("--json", type=Path, metavar="FILE", help="write the results")
    add("--markdown", type=Path, metavar="FILE", help="write a page with every defect")
    return parser


def _check(options: argparse.Namespace) -> int:
    from .check import check

    problem = _contradiction(options)
    if problem:
        print(f"lstm-conformance: {problem}", file=sys.stderr)
        return 2
    return check(options)


def _contradiction(options: argparse.Namespace) -> str:
    if (options.target is None) == (options.exec is None):
        return "give a TARGET or --exec COMMAND, one of them."
    if options.exec is not None and (options.python is not None or options.isolate):
        return "--exec is a process of its own: --python and --isolate do not go with it."
    if options.python is not None and options.target not in REGISTRY:
        return f"--python runs one of the adapters {', '.join(REGISTRY)}."
    names = ("shard", "max_time", "resume", "baseline")
    given = [name for name in names if getattr(options, name) is not None]
    if options.case is not None and given:
        return f"--case judges one case: --{given[0].replace('_', '-')} does not go with it."
    if options.shard is not None and options.profile == "thorough" and options.seed is None:
        return "--shard with --profile thorough needs --seed N, the same for all shards."
    files = [path.resolve() for path in (options.baseline, options.json) if path is not None]
    if options.baseline is not None and len({*files}) < len(files):
        return f"--json would replace the baseline {options.baseline}: name another file."
    return ""


def _merge(options: argparse.Namespace) -> int:
    from .merge import merge

    return merge(options)


def _report(options: argparse.Namespace) -> int:
    from .report import report

    return report(options)


def _waive(options: argparse.Namespace) -> int:
    from .waive import waive

    return waive(options)


def _defects(options: argparse.Namespace) -> int:
    from .defects import defects

    return defects(options)


def _vectors(options: argparse.Namespace) -> int:
    from .vectors import vectors

    return vectors(options)


def _clauses(options: argparse.Namespace) -> int:
    from ...reports.tables import clause_table
    from ...reports.writing import not_writable, write_text
    from ...spec.document import document

    if options.markdown is None:
        rows = [(c.id, _kind(c), c.title, c.text) for c in CLAUSES.values()]
        print(clause_table(rows))
        return 0
    problem = not_writable(options.markdown)
    if problem:
        print(f"lstm-conformance: {problem}", file=sys.stderr)
        return 2
    write_text(options.markdown, document())
    return 0


def _kind(clause: Clause) -> str:
    return "untestable" if clause.untestable else clause.level


def _count(text: str) -> int:
    number = int(text) if text.isdecimal() else -1
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 0")
    return number


def _positive(text: str) -> int:
    number = _count(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1 is needed")
    return number


def _amount(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no number above 0")
    return number


def _shard(text: str) -> Shard:
    try:
        return Shard.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _time(text: str) -> float:
    try:
        return seconds_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _seed(text: str) -> int:
    return _count(text)


def _clause(text: str) -> str:
    if text in CLAUSES and text not in TESTABLE:
        raise argparse.ArgumentTypeError(f"clause {text} cannot be tested")
    if text not in CLAUSES:
        raise argparse.ArgumentTypeError(
            f"there is no clause {text!r}: see `lstm-conformance clauses`"
        )
    return text
