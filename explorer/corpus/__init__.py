"""Files become tables, tables become a corpus, and results become files again. Only bytes go in and out."""
