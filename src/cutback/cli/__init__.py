"""Entry points. Thin: none has logic that another lacks."""
