"""Operations on particle records, streaming: transform, sample, combine, compare, histograms."""
