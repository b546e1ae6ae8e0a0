"""Test cases of other projects, converted to cases of this suite.

Each module reads one project's tests from its package or its repository, when it is called.
"""
