def _ndtr(x):
    """The standard normal distribution function: to 4 ulp in float32; in float64 erfc's, halved."""
    given = np.asarray(x)
    if given.dtype != np.float32:
        return (0.5 * _error_function(given * -0.7071067811865476, 1))[()]
    flat = given.ravel()
    result = np.empty_like(flat)
    room = np.empty((4, min(flat.size, 32768)), np.float32)
    for start in range(0, flat.size, 32768):  # blocks that stay in cache
        part = flat[start : start + 32768]
        _ndtr_block(part, result[start : start + 32768], *room[:, : part.size])
    return result.reshape(given.shape)[()]


def _ndtr_block(x, y, a, below, q, high):
    """Phi(-a) = exp(-a^2 / 2) P(q) / (a + 3.75) for q = (a - 3.75) / (a + 3.75), into y.

    P is fitted for 0 <= a <= 14.6 with a relative error of 1.5e-8. The square of a is split so
    that it is exact.
    """
    np.abs(x, out=a)
    np.minimum(a, 14.5, out=a)  # beyond, Phi is 0 or 1 in float32
    np.add(a, 3.75, out=below)
    np.reciprocal(below, out=below)
    np.subtract(a, 3.75, out=q)
    q *= below
    np.multiply(q, 0.00044344973866827786, out=y)
    for coefficient in (
        0.0005096286768093705, -0.004169018007814884, 0.0012000736314803362, 0.037492506206035614,
        -0.15152083337306976, 0.3529396057128906, -0.5881882905960083,
    ):
        y += coefficient
        y *= q
    y += 0.750294029712677
    y *= below
    np.bitwise_and(a.view(np.uint32), np.uint32(0xFFFFF000), out=high.view(np.uint32))
    np.subtract(high, a, out=q)
    a += high
    q *= a
    q *= 0.5
    np.exp(q, out=q)
    y *= q
    high *= high
    high *= -0.5
    np.exp(high, out=high)
    y *= high
    np.subtract(x > 0, y, out=y)
    np.abs(y, out=y)
