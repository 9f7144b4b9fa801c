def _pinv(function, name, a, **cutoff):
    """The pseudo-inverse."""
    try:
        return np.linalg.pinv(a, **cutoff)
    except np.linalg.LinAlgError:
        _refuse_matrix(function, name, "no input of pinv", "are all of its entries finite?")
