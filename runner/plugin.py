"""The pytest plugin: options, the fixture ``lstm_check``, and the results file.

It is loaded in every pytest run of an environment where the suite is installed, so it imports
nothing heavy before a test of the suite is collected.
"""

from __future__ import annotations

import importlib
import secrets
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from .. import tests
from ..tests import MARKER

if TYPE_CHECKING:
    from .failures.failure import Failure
    from .searching.checker import Checker
    from .session.session import JudgingSession

DEFAULT_TARGET = "torch.nn:LSTM"

# A shard may have no test, and results that are resumed may lack none.
_ENDED = (
    pytest.ExitCode.OK,
    pytest.ExitCode.TESTS_FAILED,
    pytest.ExitCode.NO_TESTS_COLLECTED,
)

_SESSION = pytest.StashKey["JudgingSession"]()
_END = pytest.StashKey["float | None"]()
_CHECKER = pytest.StashKey["Checker"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lstm-conformance", "conformance of an LSTM")
    add = group.addoption
    add(
        "--lstm-implementation",
        metavar="TARGET",
        help="what is judged: package.module:Attribute, "
        f"path/to/file.py:Attribute or the name of an adapter (default: {DEFAULT_TARGET})",
    )
    add("--lstm-profile", metavar="NAME", default="default", help="smoke, default or thorough")
    add("--lstm-seed", metavar="N", type=int, help="seed of all that is drawn")
    add("--lstm-dtype", metavar="NAME", action="append", help="judge this dtype (repeatable)")
    add("--lstm-device", metavar="NAME", action="append", help="judge on this device (repeatable)")
    add("--lstm-clause", metavar="ID", action="append", help="judge this clause (repeatable)")
    add("--lstm-case", metavar="LINE", help="judge this one case")
    add("--lstm-known-deviations", metavar="FILE", help="clauses that are known to be broken")
    add("--lstm-require", metavar="CAPABILITY", action="append", help="fail without (repeatable)")
    add("--lstm-without", metavar="CAPABILITY", action="append", help="do not use (repeatable)")
    add("--lstm-exec", metavar="COMMAND", help="judge this program instead")
    add("--lstm-python", metavar="PATH", help="run the adapter in this interpreter")
    add("--lstm-isolate", action="store_true", help="judge every case in another process")
    add("--lstm-time-limit", metavar="SECONDS", type=float, default=120.0, help="for a case there")
    add("--lstm-memory-limit", metavar="GIB", type=float, default=8.0, help="for that process")
    add("--lstm-shard", metavar="I/N", help="run this of N parts of the tests")
    add("--lstm-max-time", metavar="TIME", help="judge the most telling cases, in this time")
    add("--lstm-resume", metavar="FILE", help="judge what is missing in these results")
    add("--lstm-examples", metavar="DIR", action="append", help="keep failing cases (repeatable)")
    add("--lstm-json", metavar="FILE", help="write the results to this file")
    add("--lstm-progress", action="store_true", help="show a progress bar on standard error")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARKER}(*ids): the clauses that a test judges")
    if _is_worker(config):
        config.option.lstm_seed = config.workerinput["lstm_seed"]  # type: ignore[attr-defined]
    elif config.option.lstm_seed is None:
        explores = config.option.lstm_profile == "thorough"
        config.option.lstm_seed = secrets.randbelow(2**32) if explores else 0
    asked = config.option.lstm_implementation or config.option.lstm_json
    if asked and not _is_worker(config):
        _judging_session(config)  # a bad target is told before anything else happens


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Worker processes are told the seed, and when time is over: no option says that."""
    node.workerinput["lstm_seed"] = node.config.option.lstm_seed
    node.workerinput["lstm_end"] = node.config.stash.get(_END, None)


def pytest_report_header(config: pytest.Config) -> str | None:
    session = config.stash.get(_SESSION, None)
    if session is None:
        return None
    return (
        f"lstm-conformance: {session.implementation.name} {session.implementation.version}, "
        f"profile {session.settings.profile.name}, --lstm-seed {session.settings.seed}"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    judging = [item for item in items if item.get_closest_marker(MARKER)]
    if not judging:
        return
    session = _judging_session(config)
    place = {name: number for number, name in enumerate(session.tests)}
    places = {item: place.get(_name_of_test(item.nodeid)) for item in judging}
    if config.option.lstm_case is not None:
        places = {item: 0 if _wanted(item, session) else None for item in judging}
    left_out = [item for item, number in places.items() if number is None]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    others = [item for item in items if item not in places]
    mine = {item: number for item, number in places.items() if number is not None}
    items[:] = [*others, *sorted(mine, key=lambda item: mine[item])]


@pytest.fixture
def lstm_check(request: pytest.FixtureRequest) -> Checker:
    """Judges cases for the clauses that the test is marked with."""
    session = _judging_session(request.config)
    node = request.node
    if session.is_over():
        pytest.skip("not reached in the time")
    checker = session.checker(_name_of_test(node.nodeid), _clauses(node))
    node.stash[_CHECKER] = checker
    return checker


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "lstm_combinations" in metafunc.fixturenames:
        from .searching.combination_groups import combination_groups
        from .searching.profiles import PROFILES

        option = metafunc.config.option
        profile = PROFILES.get(option.lstm_profile, PROFILES["default"])
        groups = combination_groups(profile.every_combination)
        if option.lstm_case is not None:
            groups = {"given": []}
        metafunc.parametrize("lstm_combinations", list(groups.values()), ids=list(groups))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(
    pyfuncitem: pytest.Function,
) -> Generator[None, object, object]:
    """After a test of the suite has judged its cases, says what they came to."""
    result = yield
    checker = pyfuncitem.stash.get(_CHECKER, None)
    if checker is not None:
        from .session.results_builder import excused

        session = _judging_session(pyfuncitem.config)
        for clause, record in checker.records.items():
            if record.failures and not excused(clause):
                if checker.out_of_time():
                    checker.cut_short = True
                    continue
                # What fails in it, on numbers that nobody foresaw, must not cost the verdict.
                with suppress(Exception):
                    checker.diagnose(session.diagnostician, clause)
        _raise_outcome(checker, session)
    return result


def _raise_outcome(checker: Checker, session: JudgingSession) -> None:
    from .failures.explanation import explain
    from .session.results_builder import excused, smallest
    from .session.test_outcome import failure_as_json

    def explained(of_clause: dict[str, list[Failure]]) -> str:
        return "\n\n".join(
            explain(clause, failure_as_json(smallest(failures)), session.target)
            for clause, failures in of_clause.items()
        )

    records = checker.records.values()
    broken = {record.clause: record.failures for record in records if record.failures}
    if not all(map(excused, broken)):
        pytest.fail(explained(broken), pytrace=False)
    known = {record.clause: record.waived for record in records if record.waived}
    if broken or known:
        pytest.xfail(explained({**known, **broken}))
    if not any(record.verdicts.get("pass") for record in records):
        reasons = {*(reason for record in records for reason in record.reasons)}
        pytest.skip("; ".join(sorted(reasons)) or "inconclusive")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    checker = item.stash.get(_CHECKER, None)
    if checker is not None and call.when == "call":
        # Plain data on the report travels from worker processes to the one that collects it.
        records = [record.as_json() for record in checker.records.values()]
        report.lstm_records = records  # type: ignore[attr-defined]
        report.lstm_cut_short = checker.cut_short  # type: ignore[attr-defined]
    return report


class _Collector:
    """The hooks of the process in which all reports come together."""

    def __init__(self, session: JudgingSession) -> None:
        self._session = session

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        clauses = _clauses_of_test(report.nodeid)
        if clauses and (report.when == "call" or report.failed):
            records = getattr(report, "lstm_records", None)
            broke_off = report.failed and not any(r["failures"] for r in records or ())
            why = str(report.longrepr) if broke_off else ""
            test = _name_of_test(report.nodeid)
            cut_short = getattr(report, "lstm_cut_short", False)
            self._session.add(test, clauses, records, why, report.duration, cut_short)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        self._session.finish(
            interrupted=exitstatus not in _ENDED,
            max_failures=session.config.option.maxfail or 0,
        )


def _judging_session(config: pytest.Config) -> JudgingSession:
    """What is judged and how; made when first asked for."""
    if _SESSION not in config.stash:
        from ..spec.usage_error import UsageError
        from .session.session import JudgingSession

        try:
            session = JudgingSession.of_options(
                config.option, config.option.lstm_implementation or DEFAULT_TARGET
            )
            resume = config.option.lstm_resume
            told = getattr(config, "workerinput", {})
            config.stash[_END] = session.plan(
                Path(resume) if resume else None,
                processes=told.get("workercount", 1),
                end=told.get("lstm_end"),
            )
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None
        config.stash[_SESSION] = session
        if not _is_worker(config):
            config.pluginmanager.register(_Collector(session))
    return config.stash[_SESSION]


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _wanted(item: pytest.Item, session: JudgingSession) -> bool:
    return bool(set(_clauses(item)) & set(session.clauses))


def _clauses(item: pytest.Item) -> tuple[str, ...]:
    marker = item.get_closest_marker(MARKER)
    return marker.args if marker else ()


def _name_of_test(nodeid: str) -> str:
    """File and name of a test, wherever the file is: ``test_states.test_zeros``."""
    path, _, name = nodeid.partition("::")
    return f"{Path(path).stem}.{name}"


def _clauses_of_test(nodeid: str) -> tuple[str, ...]:
    """The clauses of a test that may have run, or crashed, in another process."""
    file, _, name = _name_of_test(nodeid).partition(".")
    try:
        module = importlib.import_module(f"{tests.__name__}.{file}")
        marks = getattr(module, name.partition("[")[0]).pytestmark
    except (ImportError, AttributeError):
        return ()
    return next((mark.args for mark in marks if mark.name == MARKER), ())
