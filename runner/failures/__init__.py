"""What a failure says: diagnosis, first divergence, how to repeat it."""
