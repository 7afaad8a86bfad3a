"""The data engine: structures are built or explored, chosen, labeled, and added to what a model learns from."""
