"""LSTMs whose results are right, with one defect each in the gradients."""
