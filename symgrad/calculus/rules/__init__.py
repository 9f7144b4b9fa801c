"""The rules of each family of nodes: its adjoint, its tangent and how it is batched.

A new family is one new file here, imported below.
"""

from symgrad.calculus.rules import contraction as contraction
from symgrad.calculus.rules import decompositions as decompositions
from symgrad.calculus.rules import detached as detached
from symgrad.calculus.rules import leaf as leaf
from symgrad.calculus.rules import linear_algebra as linear_algebra
from symgrad.calculus.rules import map as map
from symgrad.calculus.rules import products as products
from symgrad.calculus.rules import reduction as reduction
from symgrad.calculus.rules import reindex as reindex
from symgrad.calculus.rules import scan as scan
from symgrad.calculus.rules import selection as selection
from symgrad.calculus.rules import window as window
