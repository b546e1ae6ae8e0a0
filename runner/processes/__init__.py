"""Implementations that run in other processes."""
