"""Readers, one file each: what they take is in `READER.extensions`, what they promise in `touyan.data.reader`."""
