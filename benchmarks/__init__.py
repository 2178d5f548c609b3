"""What bundleimp costs and saves, as ratios to what it replaces, measured side by side in one run.

``python -m benchmarks`` prints the table.  One module per row of figures (`imports`, `cold`, `application_import`,
`startup`, `opening`, `syscalls`); they share `trees` (what is imported: the same files as directory, zip and bundle),
`measure` (interleaved runs in fresh interpreters) and `figures` (what came out).  ``probes`` are the scripts that
those interpreters run.

Nothing is kept: every run makes its trees in a temporary folder.  POSIX only (`os.posix_spawn`, `os.wait4`).
"""
