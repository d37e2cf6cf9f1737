"""A broker and a registry inside the process, for trying and testing: everything is forgotten at the end."""
