"""What the benchmarks share: the data's readers, the peers, the scores, the printing."""
