"""Drawings as SVG: plots of numbers and graphs of computations, for pages and files."""
