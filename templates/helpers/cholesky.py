def _cholesky(function, name, a):
    """The lower triangular factor of a symmetric matrix, whose lower triangle is read."""
    try:
        return np.linalg.cholesky(a)
    except np.linalg.LinAlgError:
        _refuse_matrix(
            function, name, "not positive definite",
            "if only rounding makes it so, add a small number to its diagonal",
        )
