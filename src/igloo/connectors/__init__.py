"""Connectors: one source each. They know Arrow and their driver, and nothing above them."""
