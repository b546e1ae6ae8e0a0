"""The progress bar."""

from __future__ import annotations

import io

from lstm_conformance.runner.session.progress import Progress


def test_bar_counts_cases_and_goes_away() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    progress.advance(10, failed=0)
    progress.tests = 4
    progress.advance(10, failed=0)
    progress.advance(5, failed=1)
    progress.close()
    lines = stream.getvalue().split("\r")
    assert "  0%  10 cases" in lines[1]
    assert " 50%  20 cases" in lines[2]
    assert lines[2].count("#") == Progress.WIDTH // 2
    assert " 75%  25 cases, 1 tests failed" in lines[3]
    assert not lines[-2].strip()
