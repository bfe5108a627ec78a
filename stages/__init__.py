"""One module per DVC stage, named after it: `python -m stages.NAME`. They read files, call pipeline/, write files."""
