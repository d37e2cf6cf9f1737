"""What a configuration key is, and how files, environment and references become one checked configuration.

The rooms declare their own keys; the only ones declared here are those of the configuration providers.
"""
