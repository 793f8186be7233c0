"""``python -m igloo`` is the command ``igloo``."""

from igloo.cli.main import run

if __name__ == "__main__":
    run()
