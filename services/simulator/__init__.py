"""A simulated OpenStack cloud: APIs, notifications, a life and misbehaviour, in one process."""
