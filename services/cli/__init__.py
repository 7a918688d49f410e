"""The command line: composes the services and shows what they made."""
