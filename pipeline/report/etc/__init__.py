"""The parts of ETC's page: each gives its tables, plots and clips for what the paper prints."""
