"""AMQP 0-9-1 as both the bus and the catcher need it: connect, reconnect, consume in batches."""
