"""The payloads of notifications, one file per service and format; pure."""
