def _change_of_cofactors(function, name, a, h):
    """How the slope of det(a) changes as `a` moves along `h`: the Hessian of det(a) times h.

    Of a diagonal matrix, the changes are products of all entries but two.
    """
    u, s, vh = _svd(function, name, a)
    size = s.shape[-1]
    diagonal = np.eye(size, dtype=bool)
    others = _prod_others(np.where(diagonal, 1, s[..., None, :]), axis=-1)
    pairs = np.where(diagonal, 0, others) * (np.linalg.det(u) * np.linalg.det(vh))[..., None, None]
    moved = u.swapaxes(-1, -2) @ h @ vh.swapaxes(-1, -2)
    change = -pairs * moved.swapaxes(-1, -2)
    on_diagonal = pairs @ moved.diagonal(axis1=-2, axis2=-1)[..., None]
    return u @ np.where(diagonal, on_diagonal, change) @ vh
