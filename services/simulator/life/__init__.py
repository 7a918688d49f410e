"""The life of the cloud: what happens, how often, and when; deterministic for a seed."""
