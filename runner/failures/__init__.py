"""Describes failures: diagnosis, first divergence, how to repeat them."""
