"""Implementations on which the suite is tried: correct variants, and hostile ones."""
