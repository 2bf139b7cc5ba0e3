"""What leaves the process: an outbox and its channels."""
