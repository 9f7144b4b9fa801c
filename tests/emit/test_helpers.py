"""The functions that NumPy lacks, as they are emitted, against mpmath."""

from __future__ import annotations

import warnings

import mpmath
import numpy as np
import pytest

from symgrad.emit.helpers import helper_sources

TRUE = {"erf": mpmath.erf, "erfc": mpmath.erfc}
NORMAL = np.array([0.0, 1e-30, 1e-3, 0.5, 1, 2, 3.75, 5, 8, 12, 13.1, 14.4])
# The ends of the ranges of the approximations, and of the float types.
SEAMS = [0.0, 0.25, 0.5, 0.84375, 1.25, 1 / 0.35, 4, 6, 9.19, 10.05, 26.5, 27.2, 28]


def helper(name):
    scope = {"np": np}
    for source in helper_sources([name]):
        exec(source, scope)
    return scope[f"_{name}"]


def points(dtype, count=1500):
    rng = np.random.default_rng(4)
    about = np.finfo(dtype)
    low = np.log10(float(about.smallest_normal))
    seams = np.array(SEAMS)
    sizes = np.concatenate(
        [rng.uniform(0, 6, count), rng.uniform(5, 28, count),
         10 ** rng.uniform(low, 1.5, count // 2),
         seams, seams * (1 - 1e-6), seams * (1 + 1e-6), [1e30, float(about.max)]]
    )  # fmt: skip
    return np.concatenate([sizes, -sizes]).astype(dtype)


def ulps(got, true, dtype):
    """The error over epsilon times the true value; of the smallest normal number below it."""
    about = np.finfo(dtype)
    size = max(abs(true), float(about.smallest_normal))
    return float(abs(mpmath.mpf(float(got)) - true) / (size * float(about.eps)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", TRUE)
def test_two_ulps_over_the_whole_range_and_no_warning(name, dtype):
    x = points(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = helper(name)(x)
    assert got.dtype == dtype
    with mpmath.workdps(40):
        errors = [
            ulps(g, TRUE[name](mpmath.mpf(float(v))), dtype)
            for g, v in zip(got, np.clip(x, -1e3, 1e3), strict=True)  # mpmath gives up beyond
        ]
    worst = int(np.argmax(errors))
    assert errors[worst] <= 2, (x[worst], errors[worst])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_infinities_nan_and_signed_zeros(dtype):
    x = np.array([np.inf, -np.inf, np.nan, 0.0, -0.0], dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        near, far = helper("erf")(x), helper("erfc")(x)
    np.testing.assert_array_equal(near, np.array([1, -1, np.nan, 0, 0], dtype))
    np.testing.assert_array_equal(far, np.array([0, 2, np.nan, 1, 1], dtype))
    assert list(np.signbit(near[3:])) == [False, True]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", TRUE)
def test_scalars_and_arrays_of_every_shape_keep_shape_and_dtype(name, dtype):
    function = helper(name)
    grid = np.linspace(-3, 3, 24).astype(dtype).reshape(2, 3, 4)
    for x in (dtype(0.3), np.zeros((), dtype), np.zeros((0, 3), dtype), grid, grid.T, grid[:, ::2]):
        before = np.array(x, copy=True)
        got = function(x)
        assert got.shape == x.shape and got.dtype == dtype
        np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(function(grid.T), function(grid).T)


@pytest.mark.parametrize("name", TRUE)
def test_the_result_is_memory_of_its_own(name):
    for x in (np.array([0.0, 1.0]), np.array([30.0, np.nan])):
        assert not np.shares_memory(helper(name)(x), x)


def test_the_measure_sees_four_ulps():
    assert ulps(np.float64(1 + 1e-15), mpmath.mpf(1), np.float64) > 4
    assert ulps(np.float32(0), mpmath.mpf("1e-37"), np.float32) > 1e6


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_normal_distribution_function_in_both_tails(dtype):
    x = np.concatenate([NORMAL, -NORMAL, np.linspace(-13, 13, 2001)]).astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        got = helper("ndtr")(x)
    assert got.dtype == dtype
    with mpmath.workdps(40):
        true = [mpmath.ncdf(mpmath.mpf(float(v))) for v in x]
    errors = np.array([ulps(g, t, dtype) for g, t in zip(got, true, strict=True)])
    # in float64 the argument of erfc is rounded, which counts x**2 times
    allowed = 4 if dtype == np.float32 else 2 + np.minimum(x, 0) ** 2
    assert np.all(errors <= allowed), (x[np.argmax(errors - allowed)], errors.max())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_normal_distribution_function_at_the_ends_and_in_every_shape(dtype):
    function = helper("ndtr")
    ends = np.array([np.inf, -np.inf, np.nan, 0.0, 60.0, -60.0], dtype)
    np.testing.assert_array_equal(function(ends), np.array([1, 0, np.nan, 0.5, 1, 0], dtype))
    grid = np.linspace(-3, 3, 24).astype(dtype).reshape(2, 3, 4)
    for x in (dtype(0.3), np.zeros((), dtype), np.zeros((0, 3), dtype), grid, grid.T, grid[:, ::2]):
        got = function(x)
        assert got.shape == x.shape and got.dtype == dtype
        np.testing.assert_array_equal(got, np.vectorize(lambda v: function(dtype(v)), [dtype])(x))
    long = np.linspace(-5, 5, 40_001).astype(dtype)  # several blocks
    np.testing.assert_array_equal(function(long)[::400], function(long[::400].copy()))
