def _reciprocal_gaps(function, name, values, kind):
    """1 / (values[j] - values[i]), and 0 where i = j; refuses values that coincide."""
    gaps = values[..., None, :] - values[..., :, None]
    size = values.shape[-1]
    largest = np.abs(values).max(axis=-1, initial=0)[..., None, None]
    close = np.abs(gaps) <= 8 * np.finfo(values.dtype).eps * largest  # to a few roundings
    close &= ~np.eye(size, dtype=bool)
    if close.any():
        *batch, i, j = (int(k) for k in np.argwhere(close)[0])
        which = "eigenvalues" if kind == "eigh" else "singular values"
        vectors = which.replace("values", "vectors")
        told = f"{which} {i} and {j} of {name} coincide"
        if kind == "svd and 0" and j == size - 1:
            told = f"singular value {i} of {name}, which is not square, is 0"
        where = f" (matrix {batch} of the batch)" if batch else ""
        raise np.linalg.LinAlgError(
            f"{function}: {told}{where}: {values[(*batch, i)]:.9g} and {values[(*batch, j)]:.9g}; "
            f"{vectors} have no derivative there: use the {which} only, or move them apart"
        )
    gaps += 0 * largest  # what is no number stays none
    gaps[..., range(size), range(size)] = 1
    gaps = 1 / gaps
    gaps[..., range(size), range(size)] = 0
    return gaps
