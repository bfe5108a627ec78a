"""Videos from anywhere -> arrays: find them, decode them, their captions and originals."""
