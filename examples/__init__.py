"""Models, and scripts that train the modules compiled from them."""
