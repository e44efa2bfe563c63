"""Which words of an input moved a number, and how far that is to be believed."""
