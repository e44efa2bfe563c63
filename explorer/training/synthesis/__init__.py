"""Making pairs: by a language model in two steps, or by rules without one."""
