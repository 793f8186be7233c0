"""From a plan to rows."""
