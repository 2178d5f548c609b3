"""Fetching bundles from URLs into the cache.

Loaded by `bundleimp.fetch`, the command `fetch`, and path entries that are URLs; never at a start without them.
Imports the runtime only.  A file has its final name only after its digest or its signature was checked.  No message,
warning or name in the cache has the user, the password or the query of a URL.
"""
