"""What tests of connectors and of Igloo itself are built from. Nothing in Igloo imports it."""
