def _inv(function, name, a):
    """The inverse of a matrix."""
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        _refuse_matrix(
            function, name, "singular", "it has no inverse, and its log|det| has no gradient"
        )
