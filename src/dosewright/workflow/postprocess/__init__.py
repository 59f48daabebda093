"""After the simulation: doses of the treatment, compared, reported and summed up."""
