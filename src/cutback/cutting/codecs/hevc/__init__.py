"""HEVC (ITU-T H.265): parameter sets, NAL unit types, and starting in the middle of a stream."""
