"""Entries of what has a name, and lists of indices."""

from __future__ import annotations

from symgrad.report.notation import formula as m

Entry = tuple[m.Math, ...]


def entry_of(name: m.Math, indices: Entry) -> m.Math:
    """One entry of what is called `name`; that of a derivative is the derivative by an entry."""
    if not indices:
        return name
    if isinstance(name, m.Partial):
        of, by = indices[name.rank :], indices[: name.rank]
        return m.Partial(entry_of(name.of, of), entry_of(name.loss, by))
    if isinstance(name, m.Transposed) and isinstance(name.of, m.Partial | m.SecondPartial):
        return entry_of(name.of, indices[::-1])
    if isinstance(name, m.Along):
        return m.Along(entry_of(name.of, indices))
    if isinstance(name, m.SecondPartial) and len(indices) >= name.rank:
        of, by = indices[: name.rank], indices[name.rank :]
        return m.SecondPartial(entry_of(name.of, of), entry_of(name.by, by), 0, name.loss)
    if isinstance(name, m.Indexed) and not any(isinstance(i, m.Span) for i in name.indices):
        return m.Indexed(name.of, (*name.indices, *indices))
    return m.Indexed(name, indices)


def inserted(at: Entry, axis: int, index: m.Math) -> Entry:
    """`at` with one more index."""
    return (*at[:axis], index, *at[axis:])


def replaced(at: Entry, axis: int, index: m.Math) -> Entry:
    """`at` with another index on `axis`."""
    return (*at[:axis], index, *at[axis + 1 :])
