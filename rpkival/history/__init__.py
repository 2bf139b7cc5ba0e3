"""What changed in the payload, when, and because of which object."""
