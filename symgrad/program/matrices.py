"""Linear algebra as calls of `np.linalg` and of the module's own functions around it.

w, V of one matrix, both read      K_eigh = eigh(K); w = K_eigh.eigenvalues; V = K_eigh.eigenvectors
only w is read                     w = eigvalsh(K)

What comes of one factorisation is one line with several results, and a `part` line for each that
is read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import sympy

from symgrad.expr.decompositions import (
    Cholesky,
    Eigenvalues,
    Eigenvectors,
    LeftSingularVectors,
    ReciprocalGaps,
    RightSingularVectors,
    SingularValues,
)
from symgrad.expr.dimension import Shape
from symgrad.expr.linear_algebra import (
    Cofactor,
    Determinant,
    Inverse,
    LinearAlgebra,
    LogAbsDeterminant,
    PseudoInverse,
    SecondCofactor,
    SignDeterminant,
    Solve,
    TriangularSolve,
)
from symgrad.expr.node import FLOAT, Node
from symgrad.expr.reindex import Concat
from symgrad.program.builder import Builder
from symgrad.program.instruction import SEVERAL, Instruction, Value

# node class -> the function that computes all its parts, and what NumPy calls this one
PARTS: dict[type[Node], tuple[str, str]] = {
    SignDeterminant: ("slogdet", "sign"),
    LogAbsDeterminant: ("slogdet", "logabsdet"),
    Eigenvalues: ("eigh", "eigenvalues"),
    Eigenvectors: ("eigh", "eigenvectors"),
    LeftSingularVectors: ("svd", "U"),
    SingularValues: ("svd", "S"),
    RightSingularVectors: ("svd", "Vh"),
}
ALONE = {Eigenvalues: "eigvalsh", SingularValues: "svdvals"}  # cheaper where no other part is read
WHOLE = {
    Solve: "solve", TriangularSolve: "solve_triangular", Inverse: "inv", Determinant: "det",
    Cofactor: "cofactors", SecondCofactor: "change_of_cofactors", PseudoInverse: "pinv",
    Cholesky: "cholesky", ReciprocalGaps: "reciprocal_gaps",
}  # fmt: skip

BLOCK = 64  # rows that a triangular system substitutes at a time


class Matrices:
    """Lowers linear algebra into the instructions of `builder`."""

    def __init__(self, builder: Builder, order: Sequence[Node]) -> None:
        self.builder = builder
        self._read: dict[tuple[str, Node], list[Node]] = {}
        for node in order:
            if type(node) in PARTS:
                self._read.setdefault(self._factorisation(node), []).append(node)
        self._made: dict[tuple[str, Node], Value] = {}

    def _factorisation(self, node: Node) -> tuple[str, Node]:
        return PARTS[type(node)][0], node.operands[0]

    def lower(self, node: LinearAlgebra) -> Value:
        """The value of `node`."""
        if type(node) not in PARTS:
            return self._call(WHOLE[type(node)], node)
        function, part = PARTS[type(node)]
        key = self._factorisation(node)
        if len(self._read[key]) == 1:
            if type(node) in ALONE:
                return self._call(ALONE[type(node)], node)
            return self._call(function, node, part=part)
        if key not in self._made:
            self._made[key] = self._call(function, node, several=True)
        return self.builder.emit("part", (self._made[key],), node.shape, FLOAT, node, part=part)

    def _call(
        self, name: str, node: LinearAlgebra, part: str | None = None, several: bool = False
    ) -> Value:
        operands = tuple(self.builder.whole(operand) for operand in node.operands)
        options: dict[str, object] = {"name": name, "about": self._about(node, operands[0])}
        if isinstance(node, TriangularSolve):
            options["keywords"] = (("lower", node.lower), *((("unit", True),) * node.unit))
        if isinstance(node, PseudoInverse) and node.cutoff is not None:
            options["keywords"] = (("rcond", node.cutoff),)
        if isinstance(node, ReciprocalGaps):
            options["keywords"] = (("kind", f'"{node.kind}"'),)
        if part is not None:
            options["part"] = part
        shape, dtype = (self._unread(node), SEVERAL) if several else (node.shape, FLOAT)
        return self.builder.emit("linalg", operands, shape, dtype, node, **options)

    def _unread(self, node: LinearAlgebra) -> Shape:
        """The entries of the results that nobody reads, which are held with the others."""
        key = self._factorisation(node)
        read = {PARTS[type(reader)][1] for reader in self._read[key]}
        unread = [part for f, part in PARTS.values() if f == key[0] and part not in read]
        return (_of_parts(key[0], node.operands[0].shape, unread),)

    def _about(self, node: Node, operand: Value) -> Value:
        """The matrix that an error speaks of: of gaps, the one whose values they are."""
        below = node.operands[0]
        if isinstance(below, Concat):
            below = below.operands[0]
        if isinstance(node, ReciprocalGaps) and type(below) in PARTS:
            return self.builder.whole(below.operands[0])
        return operand


def _sides(line: Instruction) -> tuple[sympy.Expr, sympy.Expr]:
    """The longer and the shorter side of a matrix."""
    rows, columns = line.values[0].shape[-2:]
    is_tall = sympy.expand(rows - columns).is_nonnegative
    return (rows, columns) if is_tall else (columns, rows)


def _svd(line: Instruction) -> sympy.Expr:
    large, small = _sides(line)
    return 6 * large * small**2 + 20 * small**3


def _singular_values(line: Instruction) -> sympy.Expr:
    large, small = _sides(line)
    return 4 * large * small**2 - sympy.Rational(4, 3) * small**3


def _cubic(factor: object, per_column: int = 0) -> Callable[[Instruction], sympy.Expr]:
    """factor * n^3 for a matrix of size n, and per_column * n^2 for each column of b."""

    def flops(line: Instruction) -> sympy.Expr:
        n = line.values[0].shape[-1]
        columns = _right_sides(line)[1] if per_column else sympy.S.Zero
        return sympy.sympify(factor) * n**3 + per_column * n**2 * columns

    return flops


# Operations for one matrix.  [Golub and Van Loan, "Matrix Computations", 4th ed., tables of 3-8]
_FLOPS: dict[str, Callable[[Instruction], sympy.Expr]] = {
    "solve": _cubic("2/3", 2),
    "solve_triangular": _cubic(0, 1),
    "inv": _cubic(2),
    "det": _cubic("2/3"),
    "slogdet": _cubic("2/3"),
    "cholesky": _cubic("1/3"),
    "eigvalsh": _cubic("4/3"),
    "eigh": _cubic(9),
    "svd": _svd,
    "svdvals": _singular_values,
    "pinv": lambda line: _svd(line) + 2 * sympy.Mul(_sides(line)[0], _sides(line)[1] ** 2),
    "cofactors": _cubic(28 + sympy.Rational(4, 3)),
    "change_of_cofactors": _cubic(34 + sympy.Rational(4, 3)),
    "reciprocal_gaps": lambda line: 2 * line.values[0].shape[-1] ** 2,
}


def matrix_flops(line: Instruction) -> sympy.Expr:
    """Operations of a line of linear algebra: those for one matrix times the size of the batch."""
    core = 1 if line.options["name"] == "reciprocal_gaps" else 2
    given, result = line.values[0].shape, line.result.shape
    whole = result if len(line.values) > 1 else given  # two operands may stretch each other
    batch = sympy.Mul(*whole[: max(len(whole) - core, 0)])
    return batch * _FLOPS[str(line.options["name"])](line)


def matrix_scratch(line: Instruction, itemsize: sympy.Expr) -> sympy.Expr:
    """Bytes of NumPy's arrays that are held beside the result while a line of linear algebra runs.

    NumPy computes in float64, to and from which it converts float32. What LAPACK copies to work
    on, one matrix at a time, NumPy does not count as its arrays.
    """
    name, operand = line.options["name"], line.values[0]
    if name == "reciprocal_gaps":
        return line.result.size * (itemsize + 1)
    if name == "change_of_cofactors":
        return operand.size * (7 * itemsize + 1)
    as_float64 = 16 - 2 * itemsize  # bytes of an entry converted: 8, or 0 where it is float64
    if name == "solve_triangular":
        batch, columns = _right_sides(line)
        rows = BLOCK * columns * (8 + as_float64)  # of one block: what is solved for
        return batch * (rows + BLOCK**2 * (itemsize + as_float64))
    given = sympy.Add(*(value.size for value in line.values))
    if name in {"cofactors", "pinv"}:
        return (3 * itemsize + as_float64) * given
    parts = [part for function, part in PARTS.values() if function == name]
    made = _of_parts(str(name), operand.shape, parts) if parts else line.result.size
    beside = made - line.result.size  # parts that nobody reads, or that lines to come take
    return beside * itemsize + as_float64 * (given + made / 2)


def _right_sides(line: Instruction) -> tuple[sympy.Expr, sympy.Expr]:
    """The size of the batch, and how many columns each system has."""
    shape = line.result.shape
    if len(line.values[1].shape) == 1:
        return sympy.S.One, sympy.S.One
    return sympy.Mul(*shape[:-2]), shape[-1]


def _of_parts(function: str, shape: Shape, parts: Sequence[str]) -> sympy.Expr:
    """The entries of some results of a factorisation of matrices of `shape`."""
    rows, columns = shape[-2:]
    shorter = columns if sympy.expand(rows - columns).is_nonnegative else rows
    entries = {
        "slogdet": {"sign": 1, "logabsdet": 1},
        "eigh": {"eigenvalues": rows, "eigenvectors": rows**2},
        "svd": {"U": rows * shorter, "S": shorter, "Vh": shorter * columns},
    }[function]
    return sympy.Mul(*shape[:-2]) * sympy.Add(*(entries[part] for part in parts))
