"""The message bus: the port and its two implementations."""
