"""Reverse mode, forward mode and batching over tensor expressions, with a journal of each step."""
