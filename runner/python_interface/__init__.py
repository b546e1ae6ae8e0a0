"""What users call from Python: the public names of the root package."""
