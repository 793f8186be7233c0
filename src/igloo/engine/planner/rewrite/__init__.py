"""Statements written anew where DataFusion would answer them wrongly, or refuses them."""
