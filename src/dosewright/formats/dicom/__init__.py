"""DICOM objects to core nouns and back."""
