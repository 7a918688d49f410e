"""The commands that look: at the timeline, the inventory, how it all stands, what is understood."""
