"""The resident process: queue, sockets and every promise made to a client. Never imports torch."""
