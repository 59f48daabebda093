"""Files of IDEAL and GATE."""
