"""MP4 and MOV (ISO/IEC 14496-12 and -15, QuickTime): reads an index, writes a file."""
