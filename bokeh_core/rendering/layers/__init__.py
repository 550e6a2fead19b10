"""Layers: a picture cut at depth steps, each piece continued behind what hides it."""
