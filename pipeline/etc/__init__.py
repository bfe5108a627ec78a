"""ETC: a whole video as one image for a text-to-image model's own spatial attention."""
