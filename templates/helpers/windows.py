def _windows(x, axis, size, stride=1, dilation=1):
    """A view with two axes for one: y[..., o, k, ...] = x[..., o * stride + k * dilation, ...]."""
    count = max((x.shape[axis] - dilation * (size - 1) - 1) // stride + 1, 0)
    step = x.strides[axis]
    return np.lib.stride_tricks.as_strided(
        x,
        x.shape[:axis] + (count, size) + x.shape[axis + 1 :],
        x.strides[:axis] + (step * stride, step * dilation) + x.strides[axis + 1 :],
        writeable=False,
    )
