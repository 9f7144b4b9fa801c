"""Relations and brackets as characters, for the printers that print characters."""

RELATIONS = {"=": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥", "in": "∈", "and": "∧",
             "or": "∨", ":=": ":="}  # fmt: skip
MARKS = {"absolute": "||", "iverson": "[]", "floor": "⌊⌋", "ceiling": "⌈⌉", "inner": "⟨⟩",
         "norm": "‖‖"}  # fmt: skip
