"""How the bundled models were trained further with the pipeline: which pairs, which teachers, which plans."""
