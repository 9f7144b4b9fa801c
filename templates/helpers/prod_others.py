def _prod_others(x, axis):
    """The product of all other entries along an axis, right where entries are 0."""
    x = np.moveaxis(x, axis, -1)
    before = np.ones_like(x)
    after = np.ones_like(x)
    np.cumprod(x[..., :-1], axis=-1, out=before[..., 1:])
    np.cumprod(x[..., :0:-1], axis=-1, out=after[..., -2::-1])
    return np.moveaxis(before * after, -1, axis)
