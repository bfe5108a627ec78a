"""The parts of Make-A-Video's page: each gives its tables for one question that the paper's text raises."""
