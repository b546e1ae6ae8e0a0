"""LSTMs that are wrong on purpose, each in one thing: what the suite must be able to tell."""
