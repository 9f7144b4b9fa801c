"""The numbers of a network: to and from files, and whether they fit a definition."""
