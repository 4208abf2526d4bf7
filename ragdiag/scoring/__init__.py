"""What a context holds of the evidence: measures, sufficiency, subjects, gates."""
