"""What tests share: recordings that can be read back, the decoding oracle, real footage."""
