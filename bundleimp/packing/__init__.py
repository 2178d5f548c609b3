"""From sources to a bundle: collect the members, compile them, write the file."""
