"""PyTorch modules as symgrad networks: the same parts under the same names, and their numbers.

PyTorch is no dependency: who calls this has it, and it is imported then and not before.
"""
