"""A queue of batches between a closed period and its delivery. May block."""
