"""Puts this folder on the path, so that every test can use the catalogue and the interpreter."""
