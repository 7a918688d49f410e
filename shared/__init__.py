"""The model all services share (pure), and its adapters: bus, store, OpenStack, runtime."""
