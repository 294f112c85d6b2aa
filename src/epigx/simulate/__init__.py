"""The parts of the simulator, one link of the chain from motifs to expression each."""
