"""From expression to expression: stabilise before derivation, simplify after it."""
