"""What both ends must agree on: messages, planes, keys, and where the daemon is found."""
