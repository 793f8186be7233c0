"""The command ``igloo``: results to standard output, everything else to standard error."""
