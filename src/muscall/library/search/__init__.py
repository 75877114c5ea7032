"""Searching a library: the query, the filters, the nearest vectors, the results."""
