"""Settings for contributors: nothing that is shipped needs this file."""

from __future__ import annotations

import hypothesis

# The same examples at every run, and no files left behind.
hypothesis.settings.register_profile(
    "deterministic", derandomize=True, database=None, deadline=None
)
hypothesis.settings.load_profile("deterministic")
