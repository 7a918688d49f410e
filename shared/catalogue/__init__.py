"""All knowledge about event types, as data (`data/*.yaml`), and the pure functions that read it."""
