"""The base of every tensor expression: frozen, interned, and aware of its shape at birth.

Equal nodes are one object, so common subexpressions are found by building, `==` is identity and
a dictionary lookup costs the same whatever hangs below. What is not part of a node's meaning (the
user's line, a name) lies beside it and never takes part in equality.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn
from weakref import WeakValueDictionary

import sympy
from sympy.core.basic import Basic

from symgrad.errors import DefinitionError
from symgrad.expr.cells import cell_of
from symgrad.expr.dimension import Shape, shape_text
from symgrad.expr.display import Displayed

FLOAT, INT, BOOL = "float", "int", "bool"

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_WRITTEN_BY_USERS = tuple(_PACKAGE + room for room in ("expr", "model"))


def user_location() -> str | None:
    """The "file:line" of the user's code that is defining a node, or None inside a pass."""
    frame: Any = sys._getframe(2)
    while frame is not None:
        filename = frame.f_code.co_filename
        if not filename.startswith(_PACKAGE):
            return f"{cell_of(filename) or _short(filename)}:{frame.f_lineno}"
        if not filename.startswith(_WRITTEN_BY_USERS):
            return None
        frame = frame.f_back
    return None


def _short(filename: str) -> str:
    """`filename` from the working directory on, where it lies below it."""
    here = os.getcwd() + os.sep
    return filename[len(here) :] if filename.startswith(here) else filename


class Node(Displayed, Basic):
    """A tensor expression.

    `operands`: the nodes it is computed from. `shape`: a tuple of dimensions. `dtype`: "float",
    "int" or "bool"; which float is decided by the arrays that a generated module is given.
    """

    _interned: ClassVar[WeakValueDictionary[tuple[Any, ...], Node]] = WeakValueDictionary()
    _operators: ClassVar[dict[str, Callable[..., Node]]] = {}
    advise: ClassVar[Callable[[str], str]] = staticmethod(lambda name: "use a function")
    operands: tuple[Node, ...]
    shape: Shape
    dtype: str
    label: str | None
    location: str | None

    def __new__(cls, *args: Basic) -> Node:
        key = (cls, args)
        node = Node._interned.get(key)
        if node is None:
            node = Basic.__new__(cls, *args)
            node.operands = tuple(arg for arg in args if isinstance(arg, Node))
            node.label = None
            node.location = None
            node.shape, node.dtype = node._infer()
            Node._interned[key] = node
        location = user_location()
        if location is not None:
            node.location = location
        return node

    def _infer(self) -> tuple[Shape, str]:
        """The shape and dtype that follow from the arguments. Raises: ShapeError."""
        raise NotImplementedError

    def with_operands(self, operands: tuple[Node, ...]) -> Node:
        """The same operation on other operands."""
        remaining = iter(operands)
        return self.func(*(next(remaining) if isinstance(a, Node) else a for a in self.args))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> sympy.Expr:
        return sympy.Mul(*self.shape)

    @property
    def T(self) -> Node:
        """The tensor with its axes reversed."""
        return self._operators["transpose"](self)

    # Identity is equality: equal nodes are one object.
    __hash__ = object.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    def __reduce__(self) -> tuple[Any, ...]:
        return self.func, self.args

    def __bool__(self) -> NoReturn:
        raise DefinitionError(
            "a tensor expression has no truth value: nothing has been computed yet",
            where=user_location(),
            fix="use sg.where(condition, a, b) to choose elementwise, sg.equal(a, b) to compare",
        )

    def __iter__(self) -> Iterator[Node]:
        if not self.shape or not isinstance(self.shape[0], sympy.Integer):
            raise DefinitionError(
                f"cannot iterate over the first axis of a tensor of shape {shape_text(self.shape)}",
                where=user_location(),
                fix="index it with [...]",
            )
        return (self[i] for i in range(int(self.shape[0])))

    def __len__(self) -> int:
        if not self.shape or not isinstance(self.shape[0], sympy.Integer):
            raise TypeError("the tensor has no length that is known now")
        return int(self.shape[0])

    if not TYPE_CHECKING:  # type checkers would believe that a tensor has every attribute

        def __getattr__(self, name: str) -> NoReturn:
            advice = "" if name.startswith("_") else f"; {self.advise(name)}"
            raise AttributeError(f"a tensor expression has no {name!r}{advice}", name=name)

    def __array_ufunc__(self, ufunc: Any, method: str, *operands: Any, **options: Any) -> Node:
        """NumPy's operators, where its number or array comes first: `np.float64(2) * node`."""
        operator = self._operators.get(ufunc.__name__)
        if operator is None or method != "__call__" or options:
            raise self._not_numpys(ufunc.__name__)
        return operator(*operands)

    def __array_function__(self, function: Any, *_: object) -> NoReturn:
        raise self._not_numpys(function.__name__)

    def _not_numpys(self, name: str) -> DefinitionError:
        return DefinitionError(
            f"NumPy's {name} cannot compute with a tensor expression",
            where=user_location(),
            fix=f"use symgrad's function of the same name, sg.{name}, where there is one",
        )

    def __array__(self, *_: object, **__: object) -> NoReturn:
        raise DefinitionError(
            "NumPy cannot compute with a tensor expression",
            where=user_location(),
            fix="use symgrad's function of the same name, for example sg.exp for np.exp",
        )

    def named(self, name: str) -> Node:
        """Gives this tensor the name that it bears in the emitted code. Returns it."""
        self.label = name
        return self

    # SymPy's printers choose by class name and walk trees; a node prints itself, one line deep.
    def __str__(self) -> str:
        return f"<{self.label or type(self).__name__} {self.dtype} {shape_text(self.shape)}>"

    __repr__ = __str__

    def _sympystr(self, _: object) -> str:
        return str(self)

    _sympyrepr = _sympystr

    def _latex(self, _: object) -> str:
        return r"\mathrm{" + (self.label or type(self).__name__).replace("_", r"\_") + "}"

    # Python's operators. `symgrad.expr.operators` says what each of them builds.
    def __add__(self, other: Any) -> Node:
        return self._operators["add"](self, other)

    def __radd__(self, other: Any) -> Node:
        return self._operators["add"](other, self)

    def __sub__(self, other: Any) -> Node:
        return self._operators["subtract"](self, other)

    def __rsub__(self, other: Any) -> Node:
        return self._operators["subtract"](other, self)

    def __mul__(self, other: Any) -> Node:
        return self._operators["multiply"](self, other)

    def __rmul__(self, other: Any) -> Node:
        return self._operators["multiply"](other, self)

    def __truediv__(self, other: Any) -> Node:
        return self._operators["divide"](self, other)

    def __rtruediv__(self, other: Any) -> Node:
        return self._operators["divide"](other, self)

    def __floordiv__(self, other: Any) -> Node:
        return self._operators["floor_divide"](self, other)

    def __rfloordiv__(self, other: Any) -> Node:
        return self._operators["floor_divide"](other, self)

    def __mod__(self, other: Any) -> Node:
        return self._operators["mod"](self, other)

    def __rmod__(self, other: Any) -> Node:
        return self._operators["mod"](other, self)

    def __pow__(self, other: Any) -> Node:
        return self._operators["power"](self, other)

    def __rpow__(self, other: Any) -> Node:
        return self._operators["power"](other, self)

    def __matmul__(self, other: Any) -> Node:
        return self._operators["matmul"](self, other)

    def __rmatmul__(self, other: Any) -> Node:
        return self._operators["matmul"](other, self)

    def __neg__(self) -> Node:
        return self._operators["negative"](self)

    def __pos__(self) -> Node:
        return self

    def __abs__(self) -> Node:
        return self._operators["absolute"](self)

    def __lt__(self, other: Any) -> Node:
        return self._operators["less"](self, other)

    def __le__(self, other: Any) -> Node:
        return self._operators["less_equal"](self, other)

    def __gt__(self, other: Any) -> Node:
        return self._operators["less"](other, self)

    def __ge__(self, other: Any) -> Node:
        return self._operators["less_equal"](other, self)

    def __and__(self, other: Any) -> Node:
        return self._operators["logical_and"](self, other)

    def __or__(self, other: Any) -> Node:
        return self._operators["logical_or"](self, other)

    def __invert__(self) -> Node:
        return self._operators["logical_not"](self)

    def __getitem__(self, key: Any) -> Node:
        return self._operators["getitem"](self, key)


# Before the interpreter takes SymPy apart: a node that dies later would be looked up by its hash.
atexit.register(Node._interned.clear)
