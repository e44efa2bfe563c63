"""Pictures of a result, drawn once as simple marks and written as SVG, PNG and a page that needs no network."""
