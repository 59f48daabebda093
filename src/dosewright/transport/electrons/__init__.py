"""Transport of electrons and positrons."""
