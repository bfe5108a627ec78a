"""The whole path from folders of videos to a result."""
