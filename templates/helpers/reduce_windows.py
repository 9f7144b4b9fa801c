def _reduce_windows(x, ufunc, axis, size, stride=1, dilation=1):
    """Each window along an axis, reduced by a ufunc: one operation per place in the window."""
    windows = _windows(x, axis, size, stride, dilation)
    if windows.shape[axis] < size:
        return ufunc.reduce(windows, axis=axis + 1)
    parts = np.moveaxis(windows, axis + 1, 0)
    if size == 1:
        return parts[0].copy()
    result = ufunc(parts[0], parts[1])
    for part in parts[2:]:
        ufunc(result, part, out=result)
    return result
