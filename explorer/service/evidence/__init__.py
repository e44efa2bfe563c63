"""The evidence bundle: one zip with everything behind a result on screen, and a script that computes it again."""
