def _logsumexp(x, axis):
    """log(sum(exp(x))) along an axis: shifted by the maximum, so that nothing overflows."""
    top = x.max(axis=axis, keepdims=True, initial=-np.inf)
    top = np.where(np.isfinite(top), top, 0)
    with np.errstate(divide="ignore"):
        total = np.log(np.exp(x - top).sum(axis=axis))
    return total + top.squeeze(axis)
