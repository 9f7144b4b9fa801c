def _convolve(weights, windows):
    """`weights` times the windows of each image, which are copied into columns a few at a time.

    weights: [..., f, c * i * j], windows: [n, ..., c, i, j, h, w]; the result: [n, ..., f, h * w].
    """
    n, *shape = windows.shape
    few = max(1, min(n, 2**18 // int(np.prod(shape))))  # as many as a cache holds
    columns = np.empty((few, *shape), windows.dtype)
    matrices = columns.reshape(few, *weights.shape[:-2], weights.shape[-1], -1)
    result = np.empty((n, *weights.shape[:-1], matrices.shape[-1]), windows.dtype)
    for first in range(0, n, few):
        images = windows[first : first + few]
        np.copyto(columns[: len(images)], images)
        np.matmul(weights, matrices[: len(images)], out=result[first : first + few])
    return result
