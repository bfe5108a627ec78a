"""What an experiment is made of: params, prompts, text encoders, interpolation, methods, training, world, report."""

import os
import sys

# Torch's OpenMP spins by default: two busy processes on two cores then run many times slower. The variable is read
# when torch is first imported, so it is set here, before any module of the package can import it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

if not sys.stderr.isatty():  # transformers' loading bars, like our own, are for terminals
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
