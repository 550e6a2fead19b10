"""One module for each procedure, with a `run(call)`."""
