"""Derivations and stages as text for people: records of finished strings, and their renderings."""
