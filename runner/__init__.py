"""Judges an implementation: rules, tests, a run, the command line and the pytest plugin."""
