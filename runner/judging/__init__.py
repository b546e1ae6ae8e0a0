"""One case: run by one implementation, and compared with the oracle."""
