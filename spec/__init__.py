"""What is claimed: clauses, configurations, cases and the strategies that draw them.

Nothing in this package imports a framework, pytest or another package of the suite.
"""
