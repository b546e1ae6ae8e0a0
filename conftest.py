"""Settings for contributors: nothing that is shipped needs this file."""

from __future__ import annotations

import os
from pathlib import Path

# Before NumPy is imported, here and in worker processes. The products of the reference are small:
# more threads would only wait, and take time from the other processes.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# With as many worker processes as processors, threads of torch would wait, too.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import pytest

# The same examples at every run, and no files left behind.
hypothesis.settings.register_profile(
    "deterministic", derandomize=True, database=None, deadline=None
)
hypothesis.settings.load_profile("deterministic")


def pytest_configure(config: pytest.Config) -> None:
    """How torch.nn.LSTM is judged, unless another implementation is named.

    A covering array is enough beside the tests of the suite. ``tox -e check`` judges it by the
    default profile, and so does the first command of the README.
    """
    if config.option.lstm_target is not None:
        return
    if not config.option.lstm_known_deviations:
        file = Path(__file__).parent / "reports" / "known_deviations" / "torch.toml"
        config.option.lstm_known_deviations = str(file)
    if config.option.lstm_profile is None:
        config.option.lstm_profile = "smoke"
