"""The bundled embedding model's first stage: texts, teachers, token table, distillation."""
