"""Which tests of the suite are selected, and how the asserts of their helpers are shown."""

from __future__ import annotations

import pytest

# Before any test module imports them.
pytest.register_assert_rewrite("meta_tests.helpers")

# Markers of tests that are deselected unless an expression after -m names their marker.
ON_REQUEST = ("browser", "docs", "interrupts", "whole")


def pytest_report_header() -> str:
    """Names the markers of deselected tests in every run: pytest-xdist does not count them."""
    markers = " or ".join(f"-m {marker}" for marker in ON_REQUEST)
    return f"meta_tests: some tests run only with {markers}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselects tests that are run on request only."""
    unnamed = [marker for marker in ON_REQUEST if marker not in config.option.markexpr]
    left_out = [item for item in items if any(map(item.get_closest_marker, unnamed))]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
