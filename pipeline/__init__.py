"""What an experiment is made of: params, prompts, text encoders, interpolation, methods, training, world, report."""

import os

# Torch's OpenMP spins by default: two busy processes on two cores then run many times slower. The variable is read
# when torch is first imported, so it is set here, before any module of the package can import it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
