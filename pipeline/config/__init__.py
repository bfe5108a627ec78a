"""params.yaml as typed sections, paths, entry points, and which code a result depends on."""
