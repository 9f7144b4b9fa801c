def _erfc(x):
    """1 - erf(x), accurate where erf(x) is close to 1."""
    a = np.abs(x)
    tail = _erfc_tail(np.maximum(a, 0.5), a > 4)
    return np.where(a <= 0.5, 1 - _erf(np.clip(x, -0.5, 0.5)), np.where(x > 0, tail, 2 - tail))
