"""A report as Markdown, as one HTML file, and as a section of a paper."""
