"""A procedural, captioned video world with ground truth: scene -> render -> caption, and a judge that reads pixels."""
