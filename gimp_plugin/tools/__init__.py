"""One module for each procedure: `run(procedure, ...)` as GIMP calls it."""
