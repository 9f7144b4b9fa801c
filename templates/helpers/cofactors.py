def _cofactors(function, name, a):
    """The slope of det(a): by singular values, so that a singular matrix has it, too."""
    u, s, vh = _svd(function, name, a)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    others = _prod_others(s, axis=-1) * sign[..., None]
    return (u * others[..., None, :]) @ vh
