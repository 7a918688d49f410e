"""`osevents doctor`: whether everything is reachable, allowed, and flowing."""
