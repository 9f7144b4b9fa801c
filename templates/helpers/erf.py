def _erf(x):
    """The error function, to 1 ulp."""
    return _error_function(x, 0)


def _error_function(x, complement):
    """erf(x), or 1 - erf(x) if `complement` is 1, each range by a form of its own; in float64.

    Ranges and coefficients of fdlibm's s_erf.c. Copyright (C) 1993 by Sun Microsystems, Inc. All
    rights reserved. Permission to use, copy, modify, and distribute this software is freely
    granted, provided that this notice is preserved.
    """
    given = np.asarray(x)
    x = given.astype(np.float64, copy=False).ravel()
    size = np.abs(x)
    result = np.where(np.isnan(x), x, 1 - np.sign(x) if complement else np.sign(x))
    near, far = size < 0.84375, size >= 1.25
    for inside, branch in (
        (near, _erf_near),
        ((size < 1.25) & ~near, _erf_around_one),
        (far & (size < 28), _erf_far),  # beyond, erfc(x) is 0 or 2 even as a subnormal number
    ):
        if inside.any():
            result[inside] = branch(x[inside], complement)
    return result.reshape(given.shape).astype(given.dtype, copy=False)[()]


def _erf_near(x, complement):
    """|x| < 0.84375: erf(x) = x + x R(x^2); its complement from 1/2, once that is closer."""
    s = x * x
    y = x * _polynomial(
        s, -2.37630166566501626084e-05, -5.77027029648944159157e-03, -2.84817495755985104766e-02,
        -3.25042107247001499370e-01, 1.28379167095512558561e-01,
    )
    y /= _polynomial(
        s, -3.96022827877536812320e-06, 1.32494738004321644526e-04, 5.08130628187576562776e-03,
        6.50222499887672944485e-02, 3.97917223959155352819e-01, 1,
    )
    if complement:
        return np.where(x < 0.25, 1 - (x + y), 0.5 - ((x - 0.5) + y))
    y += x
    return y


def _erf_around_one(x, complement):
    """0.84375 <= |x| < 1.25: a rational function of |x| - 1, beside erf(1) rounded to 24 bits."""
    s = np.abs(x)
    s -= 1
    y = _polynomial(
        s, -2.16637559486879084300e-03, 3.54783043256182359371e-02, -1.10894694282396677476e-01,
        3.18346619901161753674e-01, -3.72207876035701323847e-01, 4.14856118683748331666e-01,
        -2.36211856075265944077e-03,
    )
    y /= _polynomial(
        s, 1.19844998467991074170e-02, 1.36370839120290507362e-02, 1.26171219808761642112e-01,
        7.18286544141962662868e-02, 5.40397917702171048937e-01, 1.06420880400844228286e-01, 1,
    )
    at_one = 8.45062911510467529297e-01
    if complement:
        return np.where(x > 0, (1 - at_one) - y, 1 + (at_one + y))
    y += at_one
    return np.copysign(y, x)


def _erf_far(x, complement):
    """1.25 <= |x| < 28: erfc(a) = exp(-a^2 - 0.5625 + R(1/a^2)) / a."""
    a = np.abs(x)
    s = 1 / (a * a)
    y = _polynomial(
        s, -9.81432934416914548592e00, -8.12874355063065934246e01, -1.84605092906711035994e02,
        -1.62396669462573470355e02, -6.23753324503260060396e01, -1.05586262253232909814e01,
        -6.93858572707181764372e-01, -9.86494403484714822705e-03,
    )
    y /= _polynomial(
        s, -6.04244152148580987438e-02, 6.57024977031928170135e00, 1.08635005541779435134e02,
        4.29008140027567833386e02, 6.45387271733267880336e02, 4.34565877475229228821e02,
        1.37657754143519042600e02, 1.96512716674392571292e01, 1,
    )
    farther = a >= 1 / 0.35
    if farther.any():
        s = s[farther]
        z = _polynomial(
            s, -4.83519191608651397019e02, -1.02509513161107724954e03, -6.37566443368389627722e02,
            -1.60636384855821916062e02, -1.77579549177547519889e01, -7.99283237680523006574e-01,
            -9.86494292470009928597e-03,
        )
        z /= _polynomial(
            s, -2.24409524465858183362e01, 4.74528541206955367215e02, 2.55305040643316442583e03,
            3.19985821950859553908e03, 1.53672958608443695994e03, 3.25792512996573918826e02,
            3.03380607434824582924e01, 1,
        )
        y[farther] = z
    h = a.astype(np.float32).astype(np.float64)  # h^2 is exact, so a^2 is rounded in its tail only
    y += (h - a) * (h + a)
    np.expm1(y, out=y)
    leading = np.exp(-h * h - 0.5625)
    y *= leading
    y += leading
    y /= a
    if complement:
        return np.where(x > 0, y, 2 - y)
    return np.copysign(1 - y, x)


def _polynomial(x, *coefficients):
    """Highest power first."""
    first, *others = coefficients
    total = x * first
    for coefficient in others[:-1]:
        total += coefficient
        total *= x
    total += others[-1]
    return total
