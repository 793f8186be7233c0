"""What connectors to SQL databases share: columns, literals and filters as SQL text."""
