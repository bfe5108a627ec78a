"""Where the networks' weights are unless somebody says otherwise."""

from pathlib import Path

I3D = Path("models/public/i3d.safetensors")  # below the checkout; the weights stage puts it there
CHECKOUT = Path(__file__).parents[2]
