"""Why a query fails: one case at a time, every failure mode with the intervention that proves it."""
