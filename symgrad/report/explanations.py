"""The rule families of the calculus, each in a few words with its source.

A family is a file of `symgrad/calculus/rules/`; the driver's own steps are three more.
"""

from __future__ import annotations

from collections.abc import Iterable

from symgrad.calculus.journal import Step
from symgrad.calculus.rules.registry import ADJOINTS, TANGENTS
from symgrad.report.record.steps import Explanation

LAUE = (
    "S. Laue, M. Mitterreiter, J. Giesen: A Simple and Efficient Tensor Calculus. AAAI 2020, "
)
GRIEWANK = "A. Griewank, A. Walther: Evaluating Derivatives, 2nd ed. SIAM 2008, "
GILES = (
    "M. Giles: Collected Matrix Derivative Results for Forward and Reverse Mode Algorithmic "
    "Differentiation. 2008, "
)

# family -> title, paragraphs, source
FAMILIES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "seed": (
        "Where it starts",
        ("Reverse mode asks how the loss changes when a tensor changes, and works from the loss "
         "back to the parameters. The loss changes by 1 when it changes by 1: ∂L/∂L = 1. Forward "
         "mode starts at the other end, with the direction along which the parameters move.",),
        GRIEWANK + "section 3.2",
    ),
    "map": (
        "Entry by entry: the scalar chain rule",
        ("A map applies one scalar formula to every entry: y = f(a, b, ...). An entry of y depends "
         "on the same entry of each operand and on nothing else, so the chain rule of school "
         "applies to each entry alone.",
         "What arrives at y is multiplied, entry by entry, by the partial derivative of the scalar "
         "formula: ∂L/∂a = ∂L/∂y ⊙ ∂f/∂a. SymPy differentiates the scalar formula."),
        LAUE + "elementwise functions",
    ),
    "contraction": (
        "Sums of products: linear in each factor",
        ("Matrix products, sums, traces, transposes and outer products are all sums of products "
         "over indices: y[o] = Σ a[i] b[j] ... Such a sum is linear in each of its factors.",
         "The derivative of a linear function is its coefficient: what arrives at y takes the "
         "place of the factor that is differentiated by, the other factors stay, and the sum runs "
         "over every index that this factor does not have. For Y = A B this gives "
         "∂L/∂A = ∂L/∂Y Bᵀ and ∂L/∂B = Aᵀ ∂L/∂Y."),
        LAUE + "Theorem 8",
    ),
    "reduction": (
        "Along an axis: maximum, logsumexp, running sums",
        ("A maximum passes what arrives to the entry that was the largest, and nothing to the "
         "others; where several are equal, the first one counts.",
         "The slopes of log Σ exp(x) are exp(x - log Σ exp(x)): softmax, positive and summing to "
         "1. A running sum passes what arrives at an entry to all entries up to it: its "
         "derivative is the running sum from the other end."),
        GRIEWANK + "chapter 14, on points without a derivative",
    ),
    "products": (
        "Products along an axis",
        ("The slope of a product by one of its factors is the product of all others. It is "
         "computed without dividing, so that factors of 0 are no exception.",),
        GRIEWANK + "chapter 3, Speelpenning's product",
    ),
    "reindex": (
        "Entries moved about",
        ("A reshape, a slice, a padding or a concatenation computes nothing: it says where each "
         "entry goes. What arrives goes back the same way; where an entry was dropped, nothing "
         "comes back, and where zeros were put in, what arrives is dropped.",),
        GRIEWANK + "section 3.2: the transpose of a linear map",
    ),
    "selection": (
        "Entries picked by an index, and put back",
        ("Picking y[k] = x[i_k] copies entries, perhaps one entry several times. What arrives at "
         "y[k] is added to place i_k of zeros; entries that were not picked get 0. Adding up at "
         "indices has picking as its derivative: each is the other's transpose. The index itself "
         "is a whole number and has no derivative.",),
        GRIEWANK + "section 3.2: the transpose of a linear map",
    ),
    "window": (
        "Sliding windows",
        ("All windows of a tensor, one beside the other, hold every entry as often as windows "
         "cover it. What arrives at its copies is added up: the windows are laid back over each "
         "other. Convolution and pooling are windows followed by a product or a maximum.",),
        "V. Dumoulin, F. Visin: A guide to convolution arithmetic for deep learning. 2016, "
        "chapter 4",
    ),
    "linear_algebra": (
        "Inverses, solutions and determinants",
        ("Differentiating the equation that defines the result gives its change. From A X = B "
         "follows dA X + A dX = dB, hence dX = A⁻¹ (dB - dA X), and reading this backwards "
         "∂L/∂B = A⁻ᵀ ∂L/∂X and ∂L/∂A = -(∂L/∂B) Xᵀ. For the determinant, Jacobi's formula gives "
         "d log|det A| = tr(A⁻¹ dA), hence ∂L/∂A = (∂L/∂y) A⁻ᵀ.",),
        GILES + "section 2",
    ),
    "decompositions": (
        "Factorisations",
        ("The factors of a matrix are defined by equations, A = L Lᵀ or A = V diag(w) Vᵀ. "
         "Differentiating these equations, and those that say which factors are meant (triangular, "
         "orthogonal), gives the change of the factors, and from it the derivative. Where two "
         "eigenvalues meet, their vectors are not differentiable.",),
        GILES + "section 3; I. Murray: Differentiation of the Cholesky decomposition. 2016",
    ),
    "scan": (
        "A step repeated: backpropagation through time",
        ("A scan carries a state from step to step: s_t = f(s_{t-1}, x_t, w). Step t is a function "
         "like any other, so what arrives at s_t goes back through it to s_{t-1}, x_t and w.",
         "Doing so from the last step to the first is a scan in the other direction, whose step is "
         "the derivative of the step. The same w is used at every step, so what it receives is "
         "added up over time."),
        "P. Werbos: Backpropagation Through Time: What It Does and How to Do It. Proceedings of "
        "the IEEE 78(10), 1990",
    ),
    "detached": (
        "Held fixed",
        ("stop_gradient(x) has the value of x, and counts as a constant: nothing goes back "
         "through it.",),
        "As defined by the operation",
    ),
    "leaf": (
        "Given tensors",
        ("Parameters, inputs and constants are not computed from anything: what arrives stays.",),
        "As defined",
    ),
    "broadcast": (
        "Stretching, and undoing it",
        ("Where shapes differ, an axis of size 1 or a missing axis is stretched: the same entry "
         "stands in many places. Each copy receives its own derivative, and the entry itself "
         "receives their sum. This is why the gradient of a bias is a sum over the batch.",),
        GRIEWANK + "section 3.2: the transpose of a linear map",
    ),
    "accumulate": (
        "Several paths add up",
        ("A tensor that is read in several places changes the loss along each of these paths. By "
         "the chain rule of several variables its derivative is the sum over the paths.",),
        GRIEWANK + "section 3.2, incremental adjoints",
    ),
    "nothing": (
        "Where nothing arrives",
        ("A tensor that no path connects to the result, or only paths whose slope is 0 everywhere, "
         "has derivative 0. This is said aloud, so that a forgotten connection is noticed.",),
        "By definition",
    ),
    "batch": (
        "All directions at once",
        ("A matrix of derivatives is the derivative along every unit vector. They are computed "
         "together: each tensor gets one more axis, which counts the directions.",),
        GRIEWANK + "section 3.1, in vector mode",
    ),
}  # fmt: skip

FAMILIES_OF_KINDS = {
    "seed": "seed", "unbroadcast": "broadcast", "broadcast": "broadcast", "zero": "nothing",
    "accumulate": "accumulate", "independent": "nothing", "batch": "batch",
}  # fmt: skip


def family_of(step: Step) -> str:
    """The family that a step of a journal belongs to."""
    if step.kind != "rule":
        return FAMILIES_OF_KINDS[step.kind]
    table = ADJOINTS if step.position is not None else TANGENTS
    return table[type(step.node)].__module__.rpartition(".")[2]


def title_of(family: str) -> str:
    return FAMILIES[family][0]


def explanations(steps: Iterable[Step]) -> tuple[Explanation, ...]:
    """Those of the families that `steps` belong to, in the order of their first use."""
    rules: dict[str, dict[str, str]] = {}
    for step in steps:
        used = rules.setdefault(family_of(step), {})
        if step.rule:
            used[step.rule] = step.formula
    return tuple(
        Explanation(key, *FAMILIES[key], tuple(used.items())) for key, used in rules.items()
    )
