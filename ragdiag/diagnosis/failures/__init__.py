"""Failure modes: what each looks like, and the intervention on the team's own index that proves it the cause."""
