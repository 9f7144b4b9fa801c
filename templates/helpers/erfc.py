def _erfc(x):
    """1 - erf(x), to 2 ulp also where it is tiny."""
    return _error_function(x, 1)
