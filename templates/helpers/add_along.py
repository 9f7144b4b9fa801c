def _add_along(target, indices, values, axis):
    """Adds `values` to `target` at one index per position along an axis; repeats add up."""
    grid = list(np.ogrid[tuple(slice(size) for size in indices.shape)])
    grid[axis] = indices
    np.add.at(target, tuple(grid), values)
