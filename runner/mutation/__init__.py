"""Mutation testing of the suite: whether its tests kill LSTMs that are wrong on purpose."""
