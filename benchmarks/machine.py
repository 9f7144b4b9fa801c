"""What the numbers depend on: the processor, its cores, the libraries and their threads."""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

LIBRARIES = ("numpy", "sympy", "torch", "jax", "autograd")


def processor() -> str:
    """The processor's name as the system gives it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def versions() -> str:
    """Python and the libraries that are installed."""
    found = [f"Python {platform.python_version()}"]
    for name in LIBRARIES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            found.append(f"no {name}")
    return ", ".join(found)


def threads() -> str:
    """How many threads NumPy's BLAS and PyTorch use, and the BLAS kernel."""
    parts = []
    try:
        import numpy as np  # noqa: F401  its BLAS is looked for below
        from threadpoolctl import threadpool_info

        for pool in threadpool_info():
            if pool["user_api"] == "blas":
                kernel = pool.get("architecture", "unknown")
                parts.append(f"NumPy's BLAS {pool['num_threads']} threads ({kernel} kernel)")
                break
    except ImportError:
        parts.append("NumPy's BLAS its default")
    try:
        import torch

        parts.append(f"PyTorch {torch.get_num_threads()} threads")
    except ImportError:
        pass
    return ", ".join([*parts, "JAX its default"])


def description() -> str:
    return (
        f"{processor()}, {os.cpu_count()} cores; {versions()}; {threads()}.\n"
        "Other machines give other times; ratios are the point."
    )
