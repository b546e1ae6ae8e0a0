"""The tests that judge an implementation: one file for each chapter of the specification."""

__all__ = ["MARKER"]

# The pytest marker that names the clauses of a test.
MARKER = "lstm_clause"
