"""Modules written by symgrad from the models in examples/. They need NumPy and nothing else."""
