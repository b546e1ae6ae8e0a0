"""The oracle: the LSTM written from its equations, in NumPy alone, and its number systems."""
