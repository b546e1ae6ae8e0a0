"""LSTMs that are wrong on purpose, each in one thing: what the suite must be able to tell.

A file or folder that is named after a chapter of the specification has the defects that break a
clause of that chapter. The other files have what several chapters need.
"""
