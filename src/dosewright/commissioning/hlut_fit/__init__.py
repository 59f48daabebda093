"""A CT protocol from the Hounsfield numbers of tissue substitutes: the stoichiometric calibration."""
