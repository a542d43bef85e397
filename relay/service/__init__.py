"""The Twisted edge of the road: intake, clockwork, courier, lanes."""
