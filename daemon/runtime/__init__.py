"""What every process of the daemon shares: its log, and how it starts children."""
