"""What a derivation page says, as data: formulas as notation, prose as text.

Nothing here knows what it will look like. A printer walks the record and sets every formula and
every word its own way.
"""
