"""Straight-line NumPy programs: lowering, scheduling, buffers, verification, costs."""
