"""A crash, a hang or a malformed answer costs the verdict on one case, and on no other."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from lstm_conformance.adapters.reference import ReferenceLSTM
from lstm_conformance.runner.judging.trial import Trial
from lstm_conformance.spec.case import Case
from lstm_conformance.spec.config import LSTMConfig
from lstm_conformance.tests import test_use

from .helpers.hostile_judgements import nothing_lost

# `test_whole_judgements.py` has all.
SOME = ("Segfaulting",)


@pytest.mark.parametrize("name", SOME)
def test_nothing_is_lost(name: str, tmp_path: Path) -> None:
    nothing_lost(name, "smoke", tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not fork")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # JAX warns of forks
def test_children_do_not_act_on_signals_as_their_parent_does(tmp_path: Path) -> None:
    """`check -n 0` ends its process group then, and removes the folder of the run."""
    acted = tmp_path / "acted"
    before = signal.signal(signal.SIGTERM, lambda *_: acted.touch())
    try:
        child = test_use._Child(lambda trial: [], ReferenceLSTM())
        assert child.findings(Trial(Case(LSTMConfig(1, 1)), ReferenceLSTM())) == []
        child._process.terminate()
        child._process.join(60)
        status = child._process.exitcode
        child.end()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert status == -signal.SIGTERM
    assert not acted.exists()
