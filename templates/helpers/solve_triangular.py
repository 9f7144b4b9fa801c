def _solve_triangular(function, name, a, b, lower, unit=False):
    """The solution x of a x = b, of `a` only one triangle being read; `unit`: its diagonal is 1.

    By substitution in blocks of 64 rows: what is known is subtracted as one matrix product.
    """
    if b.ndim == 1:
        return _solve_triangular(function, name, a, b[:, None], lower, unit)[:, 0]
    size = a.shape[-1]
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    x = np.broadcast_to(b, (*batch, *b.shape[-2:])).copy()
    starts = range(0, size, 64)
    for start in starts if lower else reversed(starts):
        stop = min(start + 64, size)
        rows = np.s_[..., start:stop, :]
        known = slice(0, start) if lower else slice(stop, size)
        if known.start < known.stop:
            x[rows] -= a[..., start:stop, known] @ x[..., known, :]
        block = a[..., start:stop, start:stop]
        block = np.tril(block, -unit) if lower else np.triu(block, unit)
        if unit:
            block += np.eye(stop - start, dtype=block.dtype)
        try:
            x[rows] = np.linalg.solve(block, x[rows])
        except np.linalg.LinAlgError:
            _refuse_matrix(function, name, "singular", "a number on its diagonal is 0")
    return x
