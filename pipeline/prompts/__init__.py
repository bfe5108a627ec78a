"""Prompt sets -> one validated table of prompts and one of mixtures."""
