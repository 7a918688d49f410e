"""The ways to a cloud's notifications: a port and one file per source."""
