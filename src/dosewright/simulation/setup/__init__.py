"""What a run file describes, set up for the engine: phantom, source, problem."""
