"""The independent dose calculation: DICOM in, dose, gamma and report out, resumable."""
