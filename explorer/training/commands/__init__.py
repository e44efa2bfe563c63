"""The training from the command line: ``python -m explorer train``."""
