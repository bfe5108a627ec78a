"""What the console command `reelbench` can do."""
