"""What happens next in a rollout, and is it healthy? Pure: no clock, no I/O, no randomness."""
