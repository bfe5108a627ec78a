"""The web app of a study: pages for raters, and one for the organiser."""
