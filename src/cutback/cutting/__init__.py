"""Media only: no settings, no network, no database."""
