def _refuse_matrix(function, name, property, advice):
    """Says which matrix cannot be worked with, and why."""
    raise np.linalg.LinAlgError(f"{function}: the matrix {name} is {property}; {advice}") from None
