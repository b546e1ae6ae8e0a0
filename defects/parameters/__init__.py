"""LSTMs with one defect each in what their parameters are, or in what becomes of them."""
