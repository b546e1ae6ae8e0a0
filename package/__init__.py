"""lstm-conformance: decides whether an LSTM is right."""

__version__ = "0.1.0"
