"""Derivations that every textbook has, as models with the names that the books give them.

examples.gallery prints a page of each into docs/gallery/.
"""
