"""The rules of each family of nodes: its adjoint, its tangent and how it is batched.

A new family is one new file here, imported below.
"""

from symgrad.calculus.rules import contraction as contraction
from symgrad.calculus.rules import leaf as leaf
from symgrad.calculus.rules import map as map
from symgrad.calculus.rules import products as products
from symgrad.calculus.rules import reduction as reduction
from symgrad.calculus.rules import reindex as reindex
from symgrad.calculus.rules import selection as selection
