"""The commands that ask for something again: dead letters, refreshes, a part of the timeline."""
