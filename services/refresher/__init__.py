"""Keeps the inventory true: events become targets, targets become few API reads and rows."""
