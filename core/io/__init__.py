"""Files read and written safely."""
