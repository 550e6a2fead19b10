"""Data sets, losses, the trainers and the ablation (extra `[train]`)."""
