"""H.264 (ITU-T H.264, ISO/IEC 14496-10): parameter sets, slice headers, and starting in the middle of a stream."""
