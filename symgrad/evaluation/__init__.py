"""Evaluation: what expressions come to, and whether each step of a derivation holds in numbers.

An interpreter of its own, one node at a time in float64; nothing here runs emitted code.
`study.study` gives a page everything in one call.
"""
