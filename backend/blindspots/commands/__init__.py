"""The command line. `__main__` puts it together."""
