"""LSTMs with one defect each in the equations of a step, or at a size that is seldom tried."""
