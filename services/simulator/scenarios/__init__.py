"""Scenarios: what happens to a cloud, step by step, told as the notifications of its services."""
