"""How the bundled models are made: texts, teachers, pairs, losses, and what the results are measured on."""
