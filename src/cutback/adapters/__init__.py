"""Adapters: one `port_technology` module for each way to fulfil a port."""
