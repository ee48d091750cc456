"""Personal information: identifiers, names and addresses in a text, what is done with them, and what is probably left."""
