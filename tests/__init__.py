"""The judgement: one file a chapter of the specification, run against any implementation."""

__all__ = ["MARKER"]

# Of pytest: with the clauses that a test judges.
MARKER = "lstm_clause"
