"""``check`` and ``check_case`` on objects in memory: the verdicts, the results, and the caller."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hypothesis
import jsonschema
import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

import lstm_conformance
from lstm_conformance import Case, CheckResults, UsageError, check, check_case, expect
from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.runner.session.process_state import changed, process_state

from .helpers.command_line import SCHEMA, environment, run
from .helpers.command_line import check as check_by_command
from .helpers.sessions import without_times

Array = Any
PLAIN: dict[str, Any] = {"profile": "smoke", "dtypes": ["float64"], "diagnosis": False}


def sigmoid(x: Array) -> Array:
    return (1 + np.tanh(x / 2)) / 2


def cell(x: Array, states: tuple[Array, Array], weights: Any) -> tuple[Array, Array]:
    h, c = states
    gates = x @ weights.weight_ih.T + h @ weights.weight_hh.T + weights.bias
    i, f, g, o = np.split(gates, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def function(case: Case, arguments: dict[str, Array]) -> tuple[Array, Array, Array]:
    """One layer, one direction, with biases and without states."""
    x = arguments["input"]
    weight_ih, weight_hh = arguments["weight_ih_l0"], arguments["weight_hh_l0"]
    bias = arguments["bias_ih_l0"] + arguments["bias_hh_l0"]
    h = np.zeros((x.shape[1], case.config.hidden_size), x.dtype)
    c = np.zeros_like(h)
    outputs = []
    for x_t in x:
        i, f, g, o = np.split(x_t @ weight_ih.T + h @ weight_hh.T + bias, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h)
    return np.stack(outputs), h[None], c[None]


def without_output_gate(case: Case, arguments: dict[str, Array]) -> tuple[Array, Array, Array]:
    output, _, c_n = function(case, arguments)
    return output, np.tanh(c_n), c_n


class Raising(ReferenceLSTM):
    """Raises for one size."""

    name = "raising"

    def run(self, case: Case) -> Any:
        if case.config.hidden_size > 3:
            raise RuntimeError("too <large>\x1b[31m")
        return super().run(case)


class Hostile(ReferenceLSTM):
    """Prints, warns, and changes the state of the process in every case."""

    name = "hostile"

    def run(self, case: Case) -> Any:
        print("noise")
        print("noise", file=sys.stderr)
        warnings.simplefilter("error")
        random.seed(1)
        np.random.seed(1)
        np.seterr(all="ignore")
        os.chdir("/")
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.setrecursionlimit(2000)
        return super().run(case)


def verdicts(results: CheckResults) -> dict[str, str]:
    return {clause.id: clause.verdict for clause in results}


# ------------------------------------------------------------------ what can be handed over


def test_the_package_is_light_and_lists_its_names() -> None:
    program = (
        "import sys, lstm_conformance as lc\n"
        "heavy = {'numpy', 'hypothesis', 'torch', 'pytest'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert {*lc.__all__} <= {*dir(lc)}\n"
        "[getattr(lc, name) for name in lc.__all__]\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = lstm_conformance.nonsense


@pytest.mark.parametrize("given", ["reference", ReferenceLSTM, ReferenceLSTM()])
def test_adapters_and_implementations(given: Any) -> None:
    results = check(given, clauses=["EQ-1", "GRAD-10"], **PLAIN)
    assert results.conformant
    assert verdicts(results) == {"EQ-1": "pass", "GRAD-10": "pass"}
    results.raise_for_failures()
    assert results.failures == ()


def test_a_function_over_arrays() -> None:
    results = check(function, clauses="EQ", **PLAIN)
    assert results.conformant
    assert {c.id for c in results if c.verdict == "pass"} == {"EQ-1", "EQ-2", "EQ-3", "EQ-4"}
    assert results.clause("EQ-6").note == "no states"
    with pytest.raises(KeyError, match="STATE-1 is not among"):
        results.clause("STATE-1")


def test_capabilities_and_gradients_of_a_function() -> None:
    def differentiate(call: Any, arguments: Any, cotangents: Any) -> Any:
        return call(arguments), {name: np.zeros_like(array) for name, array in arguments.items()}

    lacking = check(function, clauses=["GRAD-10"], **PLAIN)
    assert verdicts(lacking) == {"GRAD-10": "unsupported"}
    assert not lacking.conformant, "nothing was shown"
    wrong = check(function, clauses=["GRAD-10"], differentiate=differentiate, **PLAIN)
    assert verdicts(wrong) == {"GRAD-10": "fail"}
    # It takes no states, though it says so.
    claimed = check(function, clauses=["STATE-2"], capabilities="states", **PLAIN)
    assert verdicts(claimed) == {"STATE-2": "fail"}


def test_a_cell_and_a_wrong_one() -> None:
    clauses = ["EQ-1", "STACK-1", "DIR-4", "STATE-2", "PACK-1"]
    assert set(verdicts(check(cell, clauses=clauses, **PLAIN)).values()) == {"pass"}

    def forgets_nothing(x: Array, states: Any, weights: Any) -> Any:
        h, c = cell(x, states, weights)
        return h, c + states[1] * 1e-9

    results = check(forgets_nothing, clauses=clauses, **PLAIN)
    assert not results.conformant
    assert "fail" in verdicts(results).values()


@pytest.mark.whole
def test_a_class_and_a_factory() -> None:
    torch = pytest.importorskip("torch")

    class Wrong(torch.nn.LSTM):  # type: ignore[misc, name-defined]
        def forward(self, input: Any, hx: Any = None) -> Any:
            output, (h_n, c_n) = super().forward(input, hx)
            return output, (h_n * (1 + 1e-9), c_n)

    def factory(*arguments: Any, **more: Any) -> Any:
        return torch.nn.LSTM(*arguments, **more)

    assert check(factory, clauses=["EQ-4", "STATE-2"], **PLAIN).conformant
    results = check(Wrong, clauses=["SHAPE-2", "STATE-2"], **PLAIN)
    assert [failure.clause for failure in results.failures] == ["STATE-2"]
    (failure,) = results.failures
    assert failure.tensor == "h_n"
    assert f'check_case(Wrong, "{failure.case}", clause="STATE-2")' in failure.text
    again = check_case(Wrong, failure.case, clause=failure.clause)
    assert verdicts(again) == {"STATE-2": "fail"}


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda torch: torch.jit.script(torch.nn.Linear(1, 1)), "its parameters are weight, bias"),
        (lambda torch: torch.nn.Linear, "its parameters are weight, bias"),
        (lambda torch: 7, "it is not callable"),
        (lambda torch: lambda a, b: a, "it returned an object of type int, not a torch.nn.Module"),
        (lambda torch: "nonsense", "'nonsense' is not a target"),
        (lambda torch: "torhc", "did you mean torch?"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_objects_that_are_refused(make: Any, says: str) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(UsageError, match=says.replace("?", r"\?")):
        check(make(torch), **PLAIN)


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"profile": "quick"}, "profile: there is no profile 'quick'"),
        ({"clauses": "EQ-99"}, "clauses: there is no clause 'EQ-99', did you mean EQ-9"),
        ({"clauses": []}, "clauses: it is empty: leave it out for all"),
        ({"dtypes": ()}, "dtypes: it is empty"),
        ({"capabilities": ["statse"]}, "unknown capability 'statse', did you mean states"),
        ({"clauses": ["INTRO-1"]}, "clause INTRO-1 cannot be tested"),
        ({"only": "number"}, "only: .*did you mean numbers"),
        ({"without": "pakced"}, "without: .*did you mean packed"),
        ({"dtypes": ["int8"]}, "dtypes: there is no dtype 'int8'"),
        ({"seed": -1}, "seed: '-1' is no whole number"),
        ({"max_time": "soon"}, "max_time: 'soon' is no time"),
        ({"sizes": {"hidden": 3}}, "sizes: "),
        ({"known_deviations": {"EQ-99": "why"}}, "there is no clause 'EQ-99'"),
        ({"known_deviations": {"EQ-1": ""}}, "needs a clause and a reason"),
        ({"known_deviations": 7}, "known_deviations is a path"),
        ({"known_deviations": "missing.toml"}, "missing.toml cannot be read"),
        ({"workers": 2}, "another process can import"),
        ({"isolate": True}, "another process can import"),
        ({"clauses": "EQ", "only": "numbers"}, "give one of them"),
    ],
)
def test_arguments_that_are_refused(keywords: dict[str, Any], says: str) -> None:
    def local(case: Case, arguments: dict[str, Array]) -> Any:
        return function(case, arguments)

    with pytest.raises(UsageError, match=says):
        check(local, **keywords)


def test_capabilities_are_for_functions() -> None:
    with pytest.raises(UsageError, match="declares its capabilities itself"):
        check(ReferenceLSTM, capabilities=["states"])
    with pytest.raises(UsageError, match="go with an object, not with a text"):
        check("reference", capabilities=["states"])
    with pytest.raises(UsageError, match="unknown capability 'speed'"):
        check(function, capabilities=["speed"])


# ------------------------------------------------------------------------------- results


def test_the_results_are_those_of_the_command_line(tmp_path: Path) -> None:
    clauses = ("EQ-4", "SHAPE-1", "COMB-1")
    options = ["--profile", "smoke", "--dtype", "float64", *(f"--clause={c}" for c in clauses)]
    _, by_command = check_by_command("reference", *options, cwd=tmp_path)
    results = check("reference", clauses=clauses, profile="smoke", dtypes=["float64"])
    jsonschema.validate(results.results, SCHEMA)
    plain = json.loads(json.dumps(results.results))
    for found in (plain, by_command):  # which packages were imported
        found["environment"]["packages"] = {}
    assert without_times(plain) == without_times(by_command)


@pytest.fixture(scope="module")
def broken() -> CheckResults:
    return check(without_output_gate, clauses=["EQ-1", "EQ-4", "STATE-1", "COMB-1"], **PLAIN)


def test_failures_have_arrays(broken: CheckResults) -> None:
    assert not broken.conformant
    failure = broken.failures[0]
    assert failure.clause in verdicts(broken)
    case = Case.parse(failure.case)
    assert failure.observed is not None
    assert failure.expected is not None
    assert failure.noise is not None
    assert failure.observed.shape == case.shapes()[failure.tensor] == failure.noise.shape
    assert np.array_equal(failure.expected, expect(case).values[failure.tensor])
    assert failure.index is not None
    error = abs(failure.observed - failure.expected)[failure.index]
    assert error > 30 * failure.noise[failure.index]
    assert "observed" in failure.text
    assert failure.program() == "", "no torch module"


def test_exceptions_have_no_arrays() -> None:
    results = check(Raising, clauses=["EQ-4"], **PLAIN)
    (failure,) = results.failures
    assert failure.observed is failure.expected is failure.noise is None
    assert "RuntimeError: too <large>\\x1b[31m" in failure.text
    assert results.clause("EQ-4").verdict == "error"


@pytest.mark.whole
def test_the_program_of_a_class_in_memory(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")

    class Wrong(torch.nn.LSTM):  # type: ignore[misc, name-defined]
        def forward(self, input: Any, hx: Any = None) -> Any:
            output, states = super().forward(input, hx)
            return output * 1.001, states

    (failure,) = check(Wrong, clauses=["EQ-4"], **PLAIN).failures
    program = failure.program()
    assert "LSTM = Wrong" in program
    definition = (
        "class Wrong(torch.nn.LSTM):\n"
        "    def forward(self, input, hx=None):\n"
        "        output, states = super().forward(input, hx)\n"
        "        return output * 1.001, states\n\n"
    )
    file = tmp_path / "program.py"
    file.write_text(program.replace("LSTM = Wrong", definition + "LSTM = Wrong"))
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, check=True)
    observed = float(done.stdout.splitlines()[0].split()[1])
    assert failure.observed is not None
    assert observed == failure.observed[failure.index]


def test_results_show_as_a_table(broken: CheckResults) -> None:
    text = repr(broken)
    assert "EQ-1" in text
    assert text.splitlines()[-1].startswith("DEVIATES: without_output_gate (in memory)")
    page = broken._repr_html_()
    assert page.startswith("<p>DEVIATES")
    assert "<table>" in page
    assert '<td style="text-align: left;">EQ-1 ' in page
    html = check(Raising, clauses=["EQ-4"], **PLAIN)._repr_html_()
    assert "<large>" not in html
    with pytest.raises(AssertionError, match="DEVIATES") as raised:
        broken.raise_for_failures()
    assert len(str(raised.value).splitlines()) <= 40


def test_results_are_written_and_compared(broken: CheckResults, tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    broken.to_json(file)
    assert json.loads(file.read_text()) == json.loads(json.dumps(broken.results))
    assert broken.worse_than(file) == broken.worse_than(broken) == ()
    asked = {"clauses": ["EQ-1", "EQ-4", "STATE-1", "COMB-1"], **PLAIN}
    right = check(function, **asked)
    with pytest.raises(UsageError, match="its target is"):
        broken.worse_than(right)
    renamed = json.loads(json.dumps(right.results))
    renamed["implementation"]["target"] = broken.results["implementation"]["target"]
    before = tmp_path / "before.json"
    before.write_text(json.dumps(renamed))
    assert set(broken.worse_than(before)) >= {f.clause for f in broken.failures} > set()
    with pytest.raises(UsageError, match="there is no folder"):
        broken.to_json(tmp_path / "no" / "folder.json")


@pytest.mark.whole
def test_a_page_is_written(broken: CheckResults, tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    broken.to_html(tmp_path / "report.html")
    assert "DEVIATES" in (tmp_path / "report.html").read_text()


def test_known_deviations(tmp_path: Path) -> None:
    asked = {"clauses": ["EQ-1", "EQ-4"], **PLAIN}
    right = check(function, known_deviations={"EQ-4": "none any more"}, **asked)
    assert verdicts(right) == {"EQ-1": "pass", "EQ-4": "error"}
    tables = [{"clause": ["EQ-4", "EQ-8"], "when": {"states": False}, "reason": "no gate"}]
    known = check(without_output_gate, known_deviations=tables, clauses=["EQ-4"], **PLAIN)
    assert verdicts(known) == {"EQ-4": "waived"}
    assert known.conformant is False, "no clause passed"
    assert known.failures == ()
    elsewhere = [{**tables[0], "when": {"states": True}}]
    other = check(without_output_gate, known_deviations=elsewhere, clauses=["EQ-4"], **PLAIN)
    assert verdicts(other) == {"EQ-4": "fail"}
    file = tmp_path / "known.toml"
    file.write_text('[[deviation]]\nclause = "EQ-4"\nreason = "none"\n')
    gone = check(function, known_deviations=file, clauses=["EQ-4"], **PLAIN)
    assert verdicts(gone) == {"EQ-4": "error"}


def test_the_run_ends_after_failures_or_time() -> None:
    ended = check(Raising, clauses=["EQ", "STATE"], max_failures=1, **PLAIN)
    assert ended.results["stopped"] == "max-failures"
    assert "not tested" in verdicts(ended).values()
    assert [c.verdict for c in ended].count("error") == 1
    short = check("reference", clauses="EQ", max_time=0.001, **PLAIN)
    assert short.results["stopped"] == "max-time"
    assert not short.conformant


def test_progress_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    told: list[tuple[int, int, int, int]] = []
    clauses = ["EQ-1", "EQ-4"]
    check(Raising, clauses=clauses, progress=lambda *step: told.append(step), **PLAIN)
    assert [step[:2] for step in told] == [(1, 2), (2, 2)]
    assert told[-1][3] > 0
    assert capsys.readouterr().err == ""
    check("reference", clauses=clauses, progress=True, **PLAIN)
    assert "100%" in capsys.readouterr().err


def test_in_a_notebook_the_bar_is_one_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[str] = []
    output = SimpleNamespace(update=lambda data, raw: shown.append(data["text/plain"]))
    shell = SimpleNamespace(kernel="of a notebook")
    modules = {
        "IPython": SimpleNamespace(get_ipython=lambda: shell),
        "IPython.display": SimpleNamespace(display=lambda *_, **__: output),
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    check(Raising, clauses=["EQ-1", "EQ-4"], progress=True, **PLAIN)
    assert "[####################] 100%" in shown[-2]
    assert "\r" not in "".join(shown)
    assert shown[-1].startswith("EQ-1 Gate order raises: RuntimeError")
    assert shown[-1].count(" raises: ") == 2
    assert "[###" not in shown[-1], "the bar went away"
    assert capsys.readouterr().err == ""


# ------------------------------------------------------------------------------ the caller


def test_the_callers_state_is_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    random.seed(5)
    np.random.seed(6)
    torch.manual_seed(7)
    drawn = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    threads = torch.get_num_threads()
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        filters = list(warnings.filters)
        torch.set_default_dtype(torch.float64)
        torch.set_num_threads(2)
        try:
            with torch.no_grad():
                before = process_state()
                settings = hypothesis.settings.default
                results = check(Hostile, clauses=["EQ-1", "EQ-4"], **PLAIN)
                assert changed(before) == []
                assert hypothesis.settings.default is settings
        finally:
            torch.set_default_dtype(torch.float32)
            torch.set_num_threads(threads)
        assert warnings.filters == filters
    assert results.conformant, "changed settings are about other clauses"
    now = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()
    assert now == drawn
    assert capsys.readouterr() == ("", "")


def test_one_thread_multiplies_small_matrices() -> None:
    """Products of the reference are small. The command line sets a variable, which is too late."""
    seen = set()

    class Looking(ReferenceLSTM):
        def run(self, case: Case) -> Any:
            seen.update(of_openblas())
            return super().run(case)

    def of_openblas() -> list[int]:
        return [of.num_threads for of in openblas.lib_controllers]

    openblas = ThreadpoolController().select(internal_api="openblas")
    if not openblas:
        pytest.skip("NumPy does not use OpenBLAS here")
    with openblas.limit(limits=2):
        before = of_openblas()
        check(Looking(), clauses=["EQ-1"], **PLAIN)
        assert of_openblas() == before
    assert seen == {1} != {*before}


def test_the_callers_state_does_not_matter() -> None:
    asked = {"clauses": ["EQ-4", "GRAD-10"], **PLAIN}
    plain = check("reference", **asked)
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        disturbed = check("reference", **asked)
    assert without_times(plain.results) == without_times(disturbed.results)


def test_an_interrupt_is_passed_on() -> None:
    class Interrupted(ReferenceLSTM):
        cases = 0

        def run(self, case: Case) -> Any:
            Interrupted.cases += 1
            if Interrupted.cases == 5:
                signal.raise_signal(signal.SIGINT)
            return super().run(case)

    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        check(Interrupted, clauses="EQ", **PLAIN)
    assert signal.getsignal(signal.SIGINT) is handler
    assert Interrupted.cases == 5
    # Nothing is remembered.
    assert check("reference", clauses=["EQ-1"], **PLAIN).conformant


def test_in_another_thread() -> None:
    found: list[bool] = []

    def judge() -> None:
        found.append(check("reference", clauses=["EQ-1"], **PLAIN).conformant)

    thread = threading.Thread(target=judge)
    thread.start()
    thread.join()
    assert found == [True]


SCRIPT = """\
import numpy as np
from lstm_conformance import check

def lstm(case, arguments):
    x = arguments["input"]
    zeros = np.zeros((*x.shape[:2], case.config.hidden_size), x.dtype)
    return zeros, zeros[-1:], zeros[-1:]

results = check(lstm, profile="smoke", clauses=["EQ-4"], diagnosis=False)
print(results)
"""


def test_a_script_without_a_guard(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env=environment(), capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("DEVIATES: lstm (in memory)") == 1
    assert {path.name for path in tmp_path.iterdir()} <= {"script.py"}


def test_in_a_repl(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-i"], input=SCRIPT.replace("def lstm", "\ndef lstm"), cwd=tmp_path,
        env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "DEVIATES: lstm (in memory)" in done.stdout, done.stderr


def test_the_command_judges_a_function(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(SCRIPT.partition("results =")[0])
    ended = run(
        "check", "mine.py:lstm", "--profile", "smoke", "--clause", "EQ-4", "-n", "0",
        "--no-diagnosis", cwd=tmp_path,
    )  # fmt: skip
    assert ended.status == 1, ended.out + ended.err


@pytest.mark.whole
@pytest.mark.slow
def test_worker_processes_and_isolation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "crashing_lstm.py").write_text(
        "import os\n"
        "from lstm_conformance.adapters.reference import ReferenceLSTM\n\n\n"
        "class Crashing(ReferenceLSTM):\n"
        "    def run(self, case):\n"
        "        if case.config.hidden_size > 3:\n"
        "            os._exit(3)\n"
        "        return super().run(case)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    from crashing_lstm import Crashing  # type: ignore[import-not-found]

    asked: dict[str, Any] = {"profile": "smoke", "clauses": ["EQ-4"], "dtypes": ["float64"]}
    results = check(Crashing, isolate=True, **asked)
    assert verdicts(results) == {"EQ-4": "error"}
    assert results.results["implementation"]["target"] == "crashing_lstm:Crashing"
    assert check("reference", workers=1, **asked).conformant
