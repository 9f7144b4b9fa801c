"""Evidence: whether a generated module computes what it says, found by calling it.

Nothing here knows how a gradient was derived or printed: a module is a black box with functions.
"""
