def _overlap(y, axis, length, stride=1, dilation=1):
    """Zeros of `length` on an axis, to which the windows on that axis and the next are added."""
    count, size = y.shape[axis : axis + 2]
    shape = y.shape[:axis] + (length,) + y.shape[axis + 2 :]
    strides = y.strides[: axis + 1] + y.strides[axis + 2 :]
    order = sorted(range(len(shape)), key=strides.__getitem__, reverse=True)  # as y lies in memory
    x = np.zeros([shape[a] for a in order], y.dtype).transpose(np.argsort(order))
    before = (slice(None),) * axis
    if count < size:
        for o in range(count):
            first = o * stride
            x[before + (slice(first, first + size * dilation, dilation),)] += y[before + (o,)]
        return x
    for k in range(size):
        first = k * dilation
        places = slice(first, first + count * stride, stride)
        x[before + (places,)] += y[before + (slice(None), k)]
    return x
