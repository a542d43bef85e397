"""Health, metrics and status over HTTP; reads the other rooms' counts, moves nothing."""
