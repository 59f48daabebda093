"""Seeds of runs that belong together: those with the same random numbers would not be independent."""

import hashlib


def seed_of(seed: int, what: str) -> int:
    """Return the seed of one run of several, from that of all and what tells it from the others."""
    return int.from_bytes(hashlib.sha256(f"{seed} {what}".encode()).digest()[:8])
