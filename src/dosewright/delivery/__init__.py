"""A delivery: regions and fields in motion, step by step. It reads and reckons; it transports nothing."""
