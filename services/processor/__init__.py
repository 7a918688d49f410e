"""Turns events into the timeline, and keeps the dead letters."""
