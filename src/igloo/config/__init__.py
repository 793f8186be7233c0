"""What the operator decided: settings, where each came from, and secrets."""
