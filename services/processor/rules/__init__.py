"""Rules: which events are worth an action, decided once, the same way in earnest and in a test."""
