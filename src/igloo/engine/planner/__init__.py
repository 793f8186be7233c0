"""From text to a plan that DataFusion runs."""
