def _svd(function, name, a):
    """The singular values and as many singular vectors."""
    try:
        return np.linalg.svd(a, full_matrices=False)
    except np.linalg.LinAlgError:
        _refuse_matrix(function, name, "no input of svd", "are all of its entries finite?")
