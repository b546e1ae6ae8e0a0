"""The pytest plugin: options, the fixture ``lstm_check``, and the results file.

It is loaded in every pytest run of an environment where the suite is installed, so it imports
nothing heavy before a test of the suite is collected.
"""

from __future__ import annotations

import importlib
import os
import shutil
import signal
import time
import warnings
from collections.abc import Generator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from .. import tests
from ..spec.clean_text import clean_text
from ..spec.interrupts import end_run, handle_interrupts
from ..spec.usage_error import UsageError
from ..spec.verdicts import UNSUPPORTED
from ..tests import MARKER
from .session.options import PROGRESS_FILE, PYTEST_PREFIX, Options

if TYPE_CHECKING:
    from ..reports.results import RecordResult
    from .failures.failure import Failure
    from .searching.checker import Checker
    from .searching.record import Record
    from .session.session import JudgingSession

# The run has ended by itself. A shard, or the rest of a resumed run, may have no tests.
_ENDED = (
    pytest.ExitCode.OK,
    pytest.ExitCode.TESTS_FAILED,
    pytest.ExitCode.NO_TESTS_COLLECTED,
)

# How often the folder of a run is removed while its processes end, ten times in a second.
_REMOVALS = 100

_OPTIONS = pytest.StashKey[Options]()
_SESSION = pytest.StashKey["JudgingSession"]()
_SEND = pytest.StashKey[Any]()  # a function that takes the results
_CHECKER = pytest.StashKey["Checker"]()
_PROGRESS = pytest.StashKey[str]()  # the file that tells how far the run has come


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lstm-conformance", "conformance of an LSTM")
    Options.add_to_pytest(group)
    group.addoption(
        f"{PYTEST_PREFIX}channel",
        metavar="NUMBER",
        type=int,
        help="open file by which `lstm-conformance check` gives all options and gets the results",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARKER}(*ids): the clauses that a test judges")
    try:
        options, asked = _options(config)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[_OPTIONS] = options
    if asked:
        _take_interrupts(config)
    if asked and not _is_worker(config):
        _judging_session(config)  # reports a bad target before anything else happens


def _options(config: pytest.Config) -> tuple[Options, bool]:
    """The options, with a seed, and whether this run is asked to judge something."""
    number = config.option.lstm_channel
    if _is_worker(config):
        given = _worker_input(config)
        config.stash[_PROGRESS] = given["lstm_progress_file"]
        options = Options.from_json(given["lstm_options"])
        return replace(options, progress=False), given["lstm_judges"]
    if number is not None:
        from .session.channel import ResultsEnd

        channel = ResultsEnd(number)
        config.stash[_SEND] = channel.send
        config.stash[_PROGRESS] = str(Path(config.option.basetemp).parent / PROGRESS_FILE)
        options, asked = Options.from_json(channel.options), True
    else:
        options = Options.from_pytest(config.option)
        asked = bool(config.option.lstm_target or config.option.lstm_json)
    return options.with_seed(), asked


def _take_interrupts(config: pytest.Config) -> None:
    """Lets the main process decide what an interrupt means, until pytest ends."""
    before = signal.getsignal(signal.SIGINT)

    def restore_interrupts(handler: Any) -> None:
        signal.signal(signal.SIGINT, handler)

    config.add_cleanup(lambda: restore_interrupts(before))
    if _is_worker(config):  # the main process ends it
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    else:
        handle_interrupts()
        if config.option.lstm_channel is not None:
            signal.signal(signal.SIGTERM, lambda *_: _end_without_parent(config))


def _end_without_parent(config: pytest.Config) -> None:
    """`lstm-conformance check` has ended, so nobody waits for results: ends this process group.

    A process that is not of the group then removes the folder: those of the group may write into
    it until they have ended.
    """
    folder, group = Path(config.option.basetemp).parents[1], os.getpgrp()
    warnings.simplefilter("ignore")  # of processes with threads that are copied
    if os.fork():
        signal.pause()
    os.setsid()
    os.killpg(group, signal.SIGKILL)
    for _ in range(_REMOVALS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            break
        time.sleep(0.1)
    os._exit(0)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Gives worker processes the options, with the seed, and the time when the run has to end."""
    config = node.config
    node.workerinput["lstm_options"] = config.stash[_OPTIONS].to_json()
    session = config.stash.get(_SESSION, None)
    node.workerinput["lstm_judges"] = session is not None
    node.workerinput["lstm_progress_file"] = config.stash.get(_PROGRESS, "")
    budget = None if session is None else session.plan.budget
    # A worker that replaces one that crashed has no time of its own.
    node.workerinput["lstm_end"] = None if budget is None else budget.end


def pytest_report_header(config: pytest.Config) -> str | None:
    session = config.stash.get(_SESSION, None)
    if session is None:
        return None
    implementation, settings = session.judged.implementation, session.settings
    name = clean_text(f"{implementation.name} {implementation.version}")
    return (
        f"lstm-conformance: {name}, "
        f"profile {settings.profile.name}, {PYTEST_PREFIX}seed {settings.seed}"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    judging = [item for item in items if item.get_closest_marker(MARKER) and _test_of(item)]
    if not judging:
        return
    session = _judging_session(config)
    place = {name: number for number, name in enumerate(session.plan.tests)}
    places = {item: place.get(_test_of(item)) for item in judging}
    left_out = [item for item, number in places.items() if number is None]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    others = [item for item in items if item not in places]
    mine = {item: number for item, number in places.items() if number is not None}
    items[:] = [*others, *sorted(mine, key=lambda item: mine[item])]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test of the user with the marker or the fixture of the suite is an error, with advice."""
    names: list[str] = getattr(item, "fixturenames", [])
    if not _test_of(item) and (item.get_closest_marker(MARKER) or "lstm_check" in names):
        pytest.fail(
            f"{item.nodeid} is no test of lstm_conformance, whose marker {MARKER} or fixture "
            "lstm_check it has, and is not run. In tests of your own, decorate a function with "
            "@lstm_conformance.parametrize(YourLSTM), or call lstm_conformance.check(YourLSTM). To "
            "run the tests of the suite: pytest --pyargs lstm_conformance.tests "
            "--lstm-implementation your_package:YourLSTM",
            pytrace=False,
        )


@pytest.fixture
def lstm_check(request: pytest.FixtureRequest) -> Checker:
    """Judges cases for the clauses that the test is marked with."""
    session = _judging_session(request.config)
    node = request.node
    checker = session.checker(_test_of(node), _clauses(node))
    node.stash[_CHECKER] = checker
    return checker


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "lstm_combinations" in metafunc.fixturenames:
        from .searching.combination_groups import combination_groups
        from .searching.profiles import PROFILES

        options = metafunc.config.stash[_OPTIONS]
        groups = combination_groups(PROFILES[options.profile].every_combination)
        if options.case is not None:
            groups = {"given": []}
        metafunc.parametrize("lstm_combinations", list(groups.values()), ids=list(groups))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(
    pyfuncitem: pytest.Function,
) -> Generator[None, object, object]:
    """After a test of the suite has judged its cases, sets its outcome.

    A test of the user's own has to judge by the clause that ``parametrize`` gave it.
    """
    checker = pyfuncitem.stash.get(_CHECKER, None)
    if checker is None:
        clause = pyfuncitem.funcargs.get("clause")
        if not hasattr(clause, "was_checked"):
            return (yield)
        clause.was_checked = False
        result = yield
        if not clause.was_checked:
            pytest.fail("nothing was judged: the test has to call clause.check().", pytrace=False)
        return result
    from .searching.checker import NotReached

    try:
        result = yield
    except NotReached:
        del pyfuncitem.stash[_CHECKER]  # the report has no records then
        pytest.skip("not reached in the time")
    session = _judging_session(pyfuncitem.config)
    session.conclude(checker)
    _raise_outcome(checker, session)
    return result


def _raise_outcome(checker: Checker, session: JudgingSession) -> None:
    from ..spec.clauses import must_hold
    from .failures.explanation import describe_failure
    from .session.results_builder import smallest

    def texts(of_clause: dict[str, list[Failure]]) -> str:
        return "\n\n".join(
            describe_failure(clause, smallest(failures).to_json(), session.judged.target)
            for clause, failures in of_clause.items()
        )

    # A test may judge clauses that were not asked for.
    asked = session.plan.clauses
    records = [record for record in checker.records.values() if record.clause in asked]
    broken = {record.clause: record.failures for record in records if record.failures}
    if any(must_hold(clause, session.settings.strict) for clause in broken):
        pytest.fail(texts(broken), pytrace=False)
    known = {record.clause: record.waived for record in records if record.waived}
    if broken or known:
        pytest.xfail(texts({**known, **broken}))
    if not any(record.verdicts.get("pass") for record in records):
        reasons = {*(reason for record in records for reason in record.reasons)}
        pytest.skip("; ".join(sorted(reasons)) or "inconclusive")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    report.lstm_test = _test_of(item)  # type: ignore[attr-defined]
    checker = item.stash.get(_CHECKER, None)
    if checker is not None and call.when == "call":
        # Plain data on the report travels from worker processes to the one that collects it.
        records = [record.to_json() for record in checker.records.values()]
        _end_test(item.config.stash.get(_SESSION, None), checker)
        report.lstm_records = records  # type: ignore[attr-defined]
        report.lstm_cut_short = checker.cut_short  # type: ignore[attr-defined]
    return report


def _end_test(session: JudgingSession | None, checker: Checker) -> None:
    if session is not None and session.plan.budget is not None:
        verdicts = {verdict for record in checker.records.values() for verdict in record.verdicts}
        session.plan.budget.end_test(verdicts != {UNSUPPORTED})


class _Hooks:
    """The hooks of the process in which all reports come together."""

    def __init__(self, session: JudgingSession, config: pytest.Config) -> None:
        self._collector = session.collector
        self._budget = session.plan.budget
        self._config = config

    def pytest_runtest_logstart(self) -> None:
        if self._budget is not None:
            self._budget.begin_first()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        test = _test_of_report(report, self._config)
        clauses = _clauses_of_test(test)
        # A test that was not reached has no records.
        if clauses and (hasattr(report, "lstm_records") or report.failed):
            records = _records(report)
            broke_off = report.failed and not any(record.failures for record in records)
            self._collector.add(
                test,
                clauses,
                records,
                str(report.longrepr) if broke_off else "",
                report.duration,
                getattr(report, "lstm_cut_short", False),
            )

    def pytest_keyboard_interrupt(self) -> None:
        end_run()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        end_run()
        self._collector.finish(
            interrupted=exitstatus not in _ENDED,
            max_failures=session.config.option.maxfail or 0,
        )


def _records(report: pytest.TestReport) -> list[Record]:
    from .searching.record import Record

    plain = cast("list[RecordResult]", getattr(report, "lstm_records", ()))
    return [Record.from_json(record) for record in plain]


def _judging_session(config: pytest.Config) -> JudgingSession:
    """The run that the options ask for; made when it is first needed."""
    if _SESSION not in config.stash:
        from .session.progress_file import ProgressFile
        from .session.session import JudgingSession

        given = _worker_input(config)
        file = config.stash.get(_PROGRESS, "")
        try:
            session = JudgingSession.of_options(
                config.stash[_OPTIONS],
                processes=given.get("workercount", 1),
                end=given.get("lstm_end"),
                write=config.stash.get(_SEND, None),
                progress=ProgressFile(Path(file)) if file else None,
            )
            if not _is_worker(config):
                session.require_plainest_case()
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None
        config.stash[_SESSION] = session
        if not _is_worker(config):
            config.pluginmanager.register(_Hooks(session, config))
    return config.stash[_SESSION]


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _worker_input(config: pytest.Config) -> Mapping[str, Any]:
    """What the main process gave this worker; empty in the main process."""
    given: Mapping[str, Any] = getattr(config, "workerinput", {})
    return given


def _clauses(item: pytest.Item) -> tuple[str, ...]:
    marker = item.get_closest_marker(MARKER)
    return marker.args if marker else ()


@cache
def _files_of_suite() -> dict[Path, str]:
    """The files of the suite's tests, to the names of their modules."""
    folders = [Path(folder) for folder in tests.__path__]
    return {path.resolve(): path.stem for f in folders for path in f.glob("test_*.py")}


def _test_of(item: pytest.Item) -> str:
    """File and name of a test of the suite: ``test_states.test_zeros``.

    It is empty for other tests, whatever their names are.
    """
    file = _files_of_suite().get(item.path.resolve())
    return "" if file is None else f"{file}.{item.name}"


def _test_of_report(report: pytest.TestReport, config: pytest.Config) -> str:
    """The test of a report. A process that crashed leaves a report with a node id alone."""
    known: str | None = getattr(report, "lstm_test", None)
    if known is not None:
        return known
    path, _, name = report.nodeid.partition("::")
    place = (config.rootpath / path).resolve()
    if place.exists() and place not in _files_of_suite():
        return ""
    return f"{Path(path).stem}.{name}"


def _clauses_of_test(test: str) -> tuple[str, ...]:
    """The clauses of a test that may have run, or crashed, in another process."""
    file, _, name = test.partition(".")
    if not file:
        return ()
    try:
        module = importlib.import_module(f"{tests.__name__}.{file}")
        marks = getattr(module, name.partition("[")[0]).pytestmark
    except (ImportError, AttributeError):
        return ()
    return next((mark.args for mark in marks if mark.name == MARKER), ())
