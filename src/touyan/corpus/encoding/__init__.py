"""The doctor: damage of bytes, width and script; what is proved is repaired, the rest is put aside."""
