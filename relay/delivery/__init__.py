"""What can happen to a batch and what to do about it. Pure; knows no vendor, no socket."""
