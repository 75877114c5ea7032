"""The library for browsers and programs: a REST API under /v1, and what a page shows of it."""
