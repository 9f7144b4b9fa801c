"""The version of symgrad, as it stands in generated files."""

__version__ = "0.1.0"
