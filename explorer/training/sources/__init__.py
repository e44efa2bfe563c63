"""Open data sets read as items: queries, the documents that answer them, and wrong ones."""
