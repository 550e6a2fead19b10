"""Networks, the registry of their weights, and running them."""
