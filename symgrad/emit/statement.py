"""Instructions as NumPy statements, as an expert would write them."""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symgrad.emit import linear_algebra
from symgrad.emit.index_check import check_line
from symgrad.emit.literal import number_source, shape_source, size_source
from symgrad.emit.moving import Moving
from symgrad.emit.windowed import arguments_source, columns_in_place
from symgrad.expr.dimension import same_shape
from symgrad.expr.node import BOOL, FLOAT
from symgrad.program.cost import sample_size
from symgrad.program.instruction import VIEWS, Instruction, Literal, Operand, Value
from symgrad.program.schedule import Schedule

INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "less": "<", "less_equal": "<=",
    "equal": "==", "not_equal": "!=", "logical_and": "&", "logical_or": "|",
}  # fmt: skip
FLIPPED = {"less": ">", "less_equal": ">="}
AUGMENTED = frozenset({"add", "subtract", "multiply", "divide"})
COMMUTES = frozenset({"add", "multiply"})
LOGICAL = frozenset({"logical_and", "logical_or", "logical_not"})  # of numbers, no bits
SMALL_MATRIX = 4096  # entries up to which the call of `@` costs more than that of `.dot`


class Statements(Moving):
    """Writes the lines of one scheduled program, given the names of its values."""

    def __init__(
        self,
        function: str,
        plan: Schedule,
        names: Mapping[Value, str],
        indices: Mapping[sympy.Symbol, sympy.Symbol],
    ) -> None:
        self._function = function
        self._plan = plan
        self._names = names
        self._indices = indices  # of loops: what they are called
        self._maker = {line.result: line for line in plan.program.instructions}

    def line(self, instruction: Instruction) -> list[str]:
        """The statement of `instruction`; none for a view that is written where it is used."""
        result = instruction.result
        if result not in self._names and instruction.op != "guard":
            return []
        if instruction.op == "part" and self._maker[instruction.values[0]].op == "loop":
            return []  # the loop has given it its name
        if instruction.op == "guard":
            return [check_line(instruction, self._function, self.text(instruction.values[0]))]
        name = self._names[result]
        target = self._plan.written_to.get(instruction)
        if instruction.op in {"add_at", "add_along", "add_pick", "add_box"}:
            assert target is not None
            return self._update(instruction, name, self.text(target))
        if target is not None and instruction.op == "columns":
            source = self.text(instruction.operands[0])
            return columns_in_place(name, self.text(target), source).split("\n")
        if target is not None and target not in self._names:  # a product in another shape
            bound = f"{name} = {self.text(target)}"
            return [bound, self._in_place(instruction, name, name, target)]
        if target is not None:
            memory = self.text(target)
            if not same_shape(target.shape, result.shape):
                memory += f".reshape({shape_source(result.shape)})"
            return [self._in_place(instruction, name, memory)]
        return [f"{name} = {self._expression(instruction)}"]

    def text(self, operand: Operand) -> str:
        """An operand as source: its name, its view expression, or its number."""
        if isinstance(operand, Literal):
            return number_source(operand.number)
        if operand in self._names:
            return self._names[operand]
        maker = self._maker[operand]
        return self._view(maker) if maker.op in VIEWS else self._expression(maker)

    def _atom(self, operand: Operand) -> str:
        """`operand` fit to be followed by a method call or an index."""
        source = self.text(operand)
        return f"({source})" if " " in _outside_brackets(source) or source[0] in "-~" else source

    def _factor(self, operand: Operand) -> str:
        """`operand` fit to stand beside any infix operator."""
        source = self.text(operand)
        compound = " " in _outside_brackets(source) or source.startswith(("-", "~"))
        return f"({source})" if compound else source

    # -- elementwise -------------------------------------------------------------------------

    def _expression(self, line: Instruction) -> str:
        return getattr(self, f"_{line.op}")(line)

    def _ufunc(self, line: Instruction) -> str:
        function = line.options["name"]
        operands = line.operands
        if line.options.get("cast"):
            return self._cast_ufunc(line)
        if function == "negative":
            return f"-{self._factor(operands[0])}"
        if function in LOGICAL and any(o.dtype != BOOL for o in operands):
            return f"np.{function}({', '.join(self.text(o) for o in operands)})"
        if function == "logical_not":
            return f"~{self._factor(operands[0])}"
        if function == "where":
            return f"np.where({', '.join(self.text(o) for o in operands)})"
        if function in INFIX:
            return self._infix(function, operands)
        return f"np.{function}({', '.join(self.text(o) for o in operands)})"

    def _infix(self, function: str, operands: tuple[Operand, ...]) -> str:
        a, b = operands
        if function in FLIPPED and isinstance(a, Literal):
            return f"{self._factor(b)} {FLIPPED[function]} {self._factor(a)}"
        if function == "multiply" and isinstance(b, Literal):
            above, below = _fraction(b.number)
            if below is not None:
                product = f"{self._number(above)} * {self._factor(a)}"
                if abs(above) == 1:
                    product = f"{'-' if above == -1 else ''}{self._factor(a)}"
                return f"{product} / {self._number(below)}"
            return f"{self._factor(b)} * {self._factor(a)}"
        return f"{self._side(a, function)} {INFIX[function]} {self._side(b, function, True)}"

    def _side(self, operand: Operand, function: str, is_right: bool = False) -> str:
        """`operand` beside an operator, in brackets only where it would be read otherwise."""
        source = self.text(operand)
        loose = set(_outside_brackets(source).split()) & set("+-*/@<>&|") or source[0] in "-~"
        terms = function == "add" or (function == "subtract" and not is_right)
        if terms and isinstance(loose, set) and loose <= {"*", "/", "@"}:
            return source
        return self._factor(operand)

    def _number(self, number: sympy.Expr) -> str:
        return self._factor(Literal(number))

    def _cast_ufunc(self, line: Instruction) -> str:
        function = line.options["name"]
        if function == "where":
            condition, *rest = (self.text(o) for o in line.operands)
            return f"np.where({condition}, {', '.join(f'dtype.type({r})' for r in rest)})"
        return f"np.{function}({', '.join(self.text(o) for o in line.operands)}, dtype=dtype)"

    def _in_place(
        self, line: Instruction, name: str, target: str, bound: Value | None = None
    ) -> str:
        """The line written into `target`; `bound`: the operand that has just got this name."""
        if line.op == "ufunc":
            function = line.options["name"]
            operands = list(line.operands)
            sources = [target if o is bound else self.text(o) for o in operands]
            if function in COMMUTES and sources[0] != target and sources[1] == target:
                operands.reverse()
                sources.reverse()
            if name == target and function in AUGMENTED and sources[0] == target:
                return self._augmented(function, target, operands[1])
            sources += ["dtype=dtype"] if line.options.get("cast") else []
            call = f"np.{function}({', '.join([*sources, f'out={target}'])})"
        elif line.op == "reduce":
            call = f"{self._reduce(line)[:-1]}, out={target})"
        elif line.op == "concat":
            call = f"{self._concat(line)[:-1]}, out={target})"
        else:
            target_root = self._plan.written_to[line].root  # np.dot refuses all but C order
            is_dot = self._is_small(line) and target_root not in self._plan.turned
            function = {"dot": "dot" if is_dot else "matmul"}.get(line.op, line.op)
            sources = [self.text(o) for o in line.operands]
            call = f"np.{function}({', '.join([*sources, f'out={target}'])})"
        return call if name == target else f"{name} = {call}"

    def _augmented(self, function: str, target: str, other: Operand) -> str:
        if function == "multiply" and isinstance(other, Literal):
            above, below = _fraction(other.number)
            if below is not None and above == 1:
                return f"{target} /= {number_source(below)}"
        return f"{target} {INFIX[function]}= {self.text(other)}"

    def _cast(self, line: Instruction) -> str:
        kind = "dtype" if line.result.dtype == FLOAT else "np.intp"
        return f"{self._atom(line.operands[0])}.astype({kind})"

    def _copy(self, line: Instruction) -> str:
        (source,) = line.values
        if self._maker.get(source) and self._maker[source].op == "broadcast":
            return f"{self.text(source)}.copy()"
        return f"{self._atom(source)}.copy()"

    _columns = _copy

    def _call(self, line: Instruction) -> str:
        sources = [self.text(o) for o in line.operands]
        if "axis" in line.options:
            sources.append(f"axis={line.options['axis']}")
        sources += arguments_source(line.options.get("arguments", ()))
        call = f"_{line.options['name']}({', '.join(sources)})"
        if line.options.get("reshaped"):
            return f"{call}.reshape({shape_source(line.result.shape)})"
        return call

    def _linalg(self, line: Instruction) -> str:
        return linear_algebra.call(line, self._function, self.text)

    def _part(self, line: Instruction) -> str:
        return linear_algebra.part(line, self.text)

    # -- products and reductions -------------------------------------------------------------

    def _is_small(self, line: Instruction) -> bool:
        """Whether an operand or the result of the product is a small matrix of known size."""
        sizes = [v.size for v in (*line.values, line.result) if not v.size.free_symbols]
        return bool(sizes) and max(sample_size(size) for size in sizes) <= SMALL_MATRIX

    def _dot(self, line: Instruction) -> str:
        a, b = line.operands
        if self._is_small(line):
            return f"{self._atom(a)}.dot({self.text(b)})"
        return f"{self._atom(a)} @ {self._atom(b)}"

    def _matmul(self, line: Instruction) -> str:
        a, b = line.operands
        product = f"{self._atom(a)} @ {self._atom(b)}"
        if line.options.get("reshaped"):
            return f"({product}).reshape({shape_source(line.result.shape)})"
        return product

    def _vdot(self, line: Instruction) -> str:
        return f"np.vdot({', '.join(self.text(o) for o in line.operands)})"

    def _vecdot(self, line: Instruction) -> str:
        return f"np.vecdot({', '.join(self.text(o) for o in line.operands)})"

    def _einsum(self, line: Instruction) -> str:
        sources = ", ".join(self.text(o) for o in line.operands)
        return f'np.einsum("{line.options["subscripts"]}", {sources}, optimize=True)'

    def _reduce(self, line: Instruction) -> str:
        method = {"add": "sum", "maximum": "max", "minimum": "min", "multiply": "prod"}
        (source,) = line.operands
        axes = line.options["axes"]
        call = f"{self._atom(source)}.{method[line.options['name']]}"
        if len(axes) == len(source.shape):
            return f"{call}()"
        return f"{call}(axis={axes[0] if len(axes) == 1 else axes})"

    def _argmax(self, line: Instruction) -> str:
        return f"{self._atom(line.operands[0])}.{line.op}(axis={line.options['axis']})"

    _argmin = _argmax

    def _cumsum(self, line: Instruction) -> str:
        return f"{self._atom(line.operands[0])}.cumsum(axis={line.options['axis']})"

    # -- arrays made anew --------------------------------------------------------------------

    def _full(self, line: Instruction) -> str:
        (literal,) = line.operands
        assert isinstance(literal, Literal)
        shape = shape_source(line.result.shape)
        kind = "dtype" if line.result.dtype == "float" else "np.intp"
        if not line.result.shape:
            return f"{'dtype.type' if kind == 'dtype' else 'np.intp'}({self.text(literal)})"
        if literal.number in (0, 1):
            return f"np.{'ones' if literal.number == 1 else 'zeros'}({shape}, {kind})"
        return f"np.full({shape}, {self.text(literal)}, {kind})"

    def _arange(self, line: Instruction) -> str:
        return f"np.arange({size_source(line.options['size'])})"

    def _identity(self, line: Instruction) -> str:
        return f"np.eye({size_source(line.options['size'])}, dtype=dtype)"

    def _table(self, line: Instruction) -> str:
        kind = "dtype" if line.result.dtype == "float" else "np.intp"
        numbers = ", ".join(number_source(v) for v in line.options["values"])
        array = f"np.array([{numbers}], {kind})"
        return (
            array
            if len(line.result.shape) == 1
            else f"{array}.reshape({shape_source(line.result.shape)})"
        )

    def _concat(self, line: Instruction) -> str:
        parts = ", ".join(self.text(o) for o in line.operands)
        comma = "," if len(line.operands) == 1 else ""
        return f"np.concatenate(({parts}{comma}), axis={line.options['axis']})"

    def _store(self, line: Instruction) -> str:
        return self.text(line.operands[0])


def _outside_brackets(source: str) -> str:
    """`source` without what stands in brackets."""
    depth, kept = 0, []
    for character in source:
        depth += (character in "([{") - (character in ")]}")
        if depth == 0:
            kept.append(character)
    return "".join(kept)


def _fraction(number: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr | None]:
    """`number` as above / below where that reads better than a decimal, else below is None."""
    if number.is_Float or (not number.is_finite and number.is_number):
        return number, None
    above, below = sympy.fraction(number)
    if below == 1:
        return number, None
    if not number.free_symbols:
        if not isinstance(number, sympy.Rational):
            return number, None
        if len(repr(float(number))) <= 6:
            return number, None
    return above, below
