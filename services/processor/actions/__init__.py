"""Runs the actions of firings: the outbox's worker, and one module for each kind of action."""
