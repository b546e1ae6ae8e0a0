"""The oracle: an LSTM in NumPy, written from its equations, with its rounding noise."""
