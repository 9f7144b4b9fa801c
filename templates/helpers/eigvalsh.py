def _eigvalsh(function, name, a):
    """The eigenvalues of a symmetric matrix, whose lower triangle is read."""
    try:
        return np.linalg.eigvalsh(a)
    except np.linalg.LinAlgError:
        _refuse_matrix(function, name, "no input of eigvalsh", "are all of its entries finite?")
