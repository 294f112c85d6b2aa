"""The command line: one thin file per command, loaded only when called."""
