def _correlate(slopes, windows):
    """The sum of `slopes` times the columns of each image: the gradient of `_convolve`'s weights.

    slopes: [n, ..., f, h * w], windows: [n, ..., c, i, j, h, w]; the result: [..., f, c * i * j].
    """
    n, *shape = windows.shape
    few = max(1, min(n, 2**18 // int(np.prod(shape))))  # as many as a cache holds
    columns = np.empty((few, *shape), windows.dtype)
    matrices = columns.reshape(few, *slopes.shape[1:-2], -1, slopes.shape[-1])
    slopes = slopes.swapaxes(-1, -2)
    products = np.empty((*matrices.shape[:-1], slopes.shape[-1]), windows.dtype)
    total = np.zeros(products.shape[1:], windows.dtype)
    for first in range(0, n, few):
        images = windows[first : first + few]
        part = slice(len(images))
        np.copyto(columns[part], images)
        np.matmul(matrices[part], slopes[first : first + few], out=products[part])
        total += products[0] if few == 1 else products[part].sum(axis=0)
    return total.swapaxes(-1, -2)
