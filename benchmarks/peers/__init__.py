"""Each module sets one library up with the same flags and says how code would ask it."""
