"""The blur of one layer by the aperture: radii, kernels, scatter."""
