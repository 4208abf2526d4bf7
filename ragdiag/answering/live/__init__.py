"""Answers for the litmus test from a model that is asked now, and the prompts to ask it elsewhere.

`prompting` makes the prompts of each condition; `asking` puts them to an `endpoint` or a function, and keeps every answer.
"""
