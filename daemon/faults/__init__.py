"""Faults on purpose: a misbehaving engine, a sandbox for daemons, the rows of the fault table."""
