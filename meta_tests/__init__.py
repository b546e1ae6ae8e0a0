"""Tests of the suite itself: the specification, the reference, and what is built on them."""
