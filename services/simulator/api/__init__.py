"""The HTTP APIs of the cloud, one file per service, as documented and traps included."""
