"""Measurements of symgrad against its peers, side by side in one run."""
