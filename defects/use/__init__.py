"""LSTMs with one defect each in how they are constructed and called, or in what they accept."""
