"""From what a source hands over to events: pure functions, no I/O."""
