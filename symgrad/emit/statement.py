"""Instructions as NumPy statements, as an expert would write them."""

from __future__ import annotations

from collections.abc import Mapping

import sympy

from symgrad.emit.literal import number_source, shape_source, size_source
from symgrad.expr.node import BOOL, FLOAT
from symgrad.program.cost import sample_size
from symgrad.program.instruction import VIEWS, Instruction, Literal, Operand, Value
from symgrad.program.schedule import Schedule

INFIX = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "less": "<", "less_equal": "<=",
    "equal": "==", "not_equal": "!=", "logical_and": "&", "logical_or": "|",
}  # fmt: skip
PRECEDENCE = {"+": 2, "-": 2, "*": 3, "/": 3, "<": 0, "<=": 0, "==": 0, "!=": 0, "&": 1, "|": 1}
FLIPPED = {"less": ">", "less_equal": ">="}
AUGMENTED = frozenset({"add", "subtract", "multiply", "divide"})
COMMUTES = frozenset({"add", "multiply"})
LOGICAL = frozenset({"logical_and", "logical_or", "logical_not"})  # of numbers, no bits
SMALL_MATRIX = 4096  # entries up to which the call of `@` costs more than that of `.dot`


class Statements:
    """Writes the lines of one scheduled program, given the names of its values."""

    def __init__(self, function: str, plan: Schedule, names: Mapping[Value, str]) -> None:
        self._function = function
        self._plan = plan
        self._names = dict(names)
        self._maker = {line.result: line for line in plan.program.instructions}

    def line(self, instruction: Instruction) -> list[str]:
        """The statement of `instruction`; none for a view that is written where it is used."""
        result = instruction.result
        if result not in self._names and instruction.op != "guard":
            return []
        if instruction.op == "guard":
            (indices,) = instruction.values
            low, size = (size_source(instruction.options[key]) for key in ("low", "size"))
            name = self.text(indices)
            return [f'_check_indices("{self._function}", "{name}", {name}, {low}, {size})']
        name = self._names[result]
        target = self._plan.written_to.get(instruction)
        if instruction.op in {"add_at", "add_along", "add_pick", "add_box"}:
            assert target is not None
            return self._update(instruction, name, self.text(target))
        if target is not None:
            return [self._in_place(instruction, name, self.text(target))]
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

    def _in_place(self, line: Instruction, name: str, target: str) -> str:
        if line.op == "ufunc":
            function = line.options["name"]
            operands = list(line.operands)
            sources = [self.text(o) for o in operands]
            if function in COMMUTES and sources[0] != target and sources[1] == target:
                operands.reverse()
                sources.reverse()
            if name == target and function in AUGMENTED and sources[0] == target:
                return self._augmented(function, target, operands[1])
            sources += ["dtype=dtype"] if line.options.get("cast") else []
            call = f"np.{function}({', '.join([*sources, f'out={target}'])})"
        elif line.op == "reduce":
            call = f"{self._reduce(line)[:-1]}, out={target})"
        else:
            function = {"dot": "dot" if self._is_small(line) else "matmul"}.get(line.op, line.op)
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

    def _call(self, line: Instruction) -> str:
        sources = [self.text(o) for o in line.operands]
        if "axis" in line.options:
            sources.append(f"axis={line.options['axis']}")
        return f"_{line.options['name']}({', '.join(sources)})"

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
        return f"{self._atom(a)} @ {self._atom(b)}"

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

    # -- gather and scatter ------------------------------------------------------------------

    def _take(self, line: Instruction) -> str:
        source, indices = (self.text(o) for o in line.operands)
        return f"np.take({source}, {indices}, axis={line.options['axis']})"

    def _take_along(self, line: Instruction) -> str:
        source, indices = (self.text(o) for o in line.operands)
        return f"np.take_along_axis({source}, {indices}, axis={line.options['axis']})"

    def _pick(self, line: Instruction) -> str:
        source, rows, columns = line.operands
        return f"{self._atom(source)}[{self.text(rows)}, {self.text(columns)}]"

    def _update(self, line: Instruction, name: str, target: str) -> list[str]:
        sign = line.options["sign"]
        _, source, *where = line.operands
        lines = [] if name == target else [f"{name} = {target}"]
        if line.op == "add_box":
            lines.append(f"{name}[{_slices(line.options['box'])}] {sign}= {self.text(source)}")
        elif line.op == "add_pick":
            rows, columns = (self.text(o) for o in where)
            lines.append(f"{name}[{rows}, {columns}] {sign}= {self.text(source)}")
        else:
            (indices,) = (self.text(o) for o in where)
            axis = line.options["axis"]
            function = "np.add.at" if sign == "+" else "np.subtract.at"
            if line.op == "add_at":
                key = f"({':, ' * axis}{indices})" if axis else indices
                if axis:
                    key = f"np.s_[{':, ' * axis}{indices}]"
                lines.append(f"{function}({name}, {key}, {self.text(source)})")
            else:
                minus = "-" if sign == "-" else ""
                lines.append(f"_add_along({name}, {indices}, {minus}{self.text(source)}, {axis})")
        return lines

    # -- views -------------------------------------------------------------------------------

    def _view(self, line: Instruction) -> str:
        (source,) = line.values
        base = self._atom(source)
        if line.op == "transpose":
            axes = line.options["axes"]
            if axes == tuple(reversed(range(len(axes)))):
                return f"{base}.T"
            return f"{base}.transpose({', '.join(map(str, axes))})"
        if line.op == "index":
            key = line.options["key"]
            return f"{base}[{', '.join(str(k) for k in key)}]"
        if line.op == "reshape":
            return (
                f"{base}.reshape({shape_source(line.result.shape) if line.result.shape else '()'})"
            )
        if line.op == "slice":
            return f"{base}[{_slices(line.options['box'])}]"
        if line.op == "broadcast":
            shape = shape_source(line.result.shape)
            return f"np.broadcast_to({self.text(source)}, {shape})"
        assert line.op == "diagonal"
        first, second = line.options["axis1"], line.options["axis2"]
        axes_text = "" if (first, second) == (0, 1) else f"axis1={first}, axis2={second}"
        return f"{base}.diagonal({axes_text})"

    _transpose = _index = _reshape = _slice = _broadcast = _diagonal = _view


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


def _slices(box: tuple[object, ...]) -> str:
    parts = []
    for entry in box:
        if entry == ":":
            parts.append(":")
            continue
        assert isinstance(entry, tuple)
        start, stop, step = entry
        head = "" if start is None or (start == 0 and step > 0) else size_source(start)
        tail = "" if stop is None else size_source(stop)
        parts.append(f"{head}:{tail}" + (f":{step}" if step != 1 else ""))
    while len(parts) > 1 and parts[-1] == ":":
        parts.pop()
    return ", ".join(parts)
