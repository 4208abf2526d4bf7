"""Recorded and live answers: judges, rules, and the verdict of the litmus test."""
