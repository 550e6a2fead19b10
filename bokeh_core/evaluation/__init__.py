"""Ground truth, metrics and benchmarks."""
