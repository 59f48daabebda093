"""Commands whose figures stand in docs/measured; ``python -m benchmarks`` runs them all."""
