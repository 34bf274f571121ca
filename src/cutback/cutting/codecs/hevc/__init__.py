"""HEVC (ITU-T H.265): parameter sets, NAL unit types, and entering a stream midway."""
