"""The search for small networks: force error against arithmetic and weight bits (docs/search.md)."""
