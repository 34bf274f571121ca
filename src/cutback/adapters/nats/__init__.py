"""Queue and announcements on NATS JetStream. Needs the extra `cutback[nats]`."""
