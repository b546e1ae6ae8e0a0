"""The specification: clauses, configurations, cases, and the strategies that draw cases.

This package imports no framework, no pytest and no other package of the suite.
"""
