"""Runs one test: draws cases, has them judged, shrinks failures and counts verdicts."""
