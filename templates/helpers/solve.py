def _solve(function, name, a, b):
    """The solution x of a x = b, for matrices b, or one vector."""
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        _refuse_matrix(function, name, "singular", "a system of equations needs full rank")
