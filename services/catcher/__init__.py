"""Reads what clouds tell, makes events of it, and hands them to the bus."""
