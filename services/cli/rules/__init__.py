"""`osevents rules`: check rules, and try them on what happened."""
