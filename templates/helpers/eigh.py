def _eigh(function, name, a):
    """Eigenvalues and eigenvectors of a symmetric matrix, whose lower triangle is read."""
    try:
        return np.linalg.eigh(a)
    except np.linalg.LinAlgError:
        _refuse_matrix(function, name, "no input of eigh", "are all of its entries finite?")
