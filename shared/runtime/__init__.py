"""What every service needs to run: settings, an orderly life, health, logs, metrics."""
