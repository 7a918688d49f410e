"""The osevents services: each package here is one process of its own; `cli` composes them."""
