"""Boilerplate: lines that are the page's and not the text's."""
