def _spread_to_chosen(g, x, chosen, axis, size, stride=1, dilation=1):
    """Adds each entry of `g` where its window of `x` first holds the entry `chosen` (or NaN)."""
    result = np.zeros(x.shape, g.dtype)
    before = (slice(None),) * axis
    free = None
    for k in range(size):
        first = k * dilation
        part = before + (slice(first, first + g.shape[axis] * stride, stride),)
        hit = free
        if k < size - 1:
            entries = x[part]
            hit = entries == chosen
            hit |= np.isnan(entries)
            if free is None:
                free = ~hit
            else:
                hit &= free
                free ^= hit
        if stride > (size - 1) * dilation:  # no window meets another
            result[part] = g if hit is None else g * hit
        else:
            result[part] += g if hit is None else g * hit
    return result
