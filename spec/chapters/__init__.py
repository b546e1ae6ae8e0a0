"""Clauses, a file for each chapter of the specification."""
