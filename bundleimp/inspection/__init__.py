"""Reports on a bundle without importing from it, and without running or unmarshalling anything that it holds."""
