def _add_rows(target, indices, rows):
    """Adds `rows` to those of `target` at `indices`; repeats add up. Entries are faster than rows."""
    if not target.flags.c_contiguous:
        return np.add.at(target, indices, rows)
    width = rows[(0,) * indices.ndim].size if rows.size else 0
    places = (indices.reshape(-1, 1) * width + np.arange(width)).reshape(-1)
    np.add.at(target.reshape(-1), places, rows.reshape(-1))
