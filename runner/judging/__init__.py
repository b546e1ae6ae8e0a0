"""Runs one case by one implementation, and compares the results with those of the oracle."""
