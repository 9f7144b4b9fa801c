"""NumPy text: names, statements, the frozen view of a module, and its rendering."""
