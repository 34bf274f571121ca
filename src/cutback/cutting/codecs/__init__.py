"""What is known of each codec: its packets, its headers, its encoder."""
