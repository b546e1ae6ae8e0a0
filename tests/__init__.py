"""The judgement: one file a chapter of the specification, run against any implementation."""
