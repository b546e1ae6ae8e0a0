"""Implementations to try the suite on: a readable LSTM, correct variants of it, defective ones."""
