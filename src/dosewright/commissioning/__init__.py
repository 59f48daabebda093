"""Making and finding machine data: the library, phantoms, the demonstration case."""
