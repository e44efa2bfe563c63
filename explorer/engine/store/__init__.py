"""Never computing the same text twice: results in memory and on the disk."""
