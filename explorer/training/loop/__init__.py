"""What both trainings share: the forward, the optimiser, checkpoints, watching a run, writing a model."""
