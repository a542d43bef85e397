"""Where batches go. May block; each answer becomes an Outcome."""
