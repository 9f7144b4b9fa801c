def _svdvals(function, name, a):
    """The singular values."""
    try:
        return np.linalg.svdvals(a)
    except np.linalg.LinAlgError:
        _refuse_matrix(function, name, "no input of svdvals", "are all of its entries finite?")
