"""The sections of the page on user studies."""
