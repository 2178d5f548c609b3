"""What bundleimp costs and saves, as ratios to what it replaces, measured side by side in one run.

``python -m benchmarks`` prints the table; ``--help`` lists the rows, one module for each.  They share `trees` (what is
imported: the same files as directory, zip and bundle), `measure` (interleaved runs in fresh interpreters), `peers` (pex
and shiv, where they can be had) and `figures` (what came out).  ``probes`` are the scripts that those interpreters run.

Of a run nothing is kept but, on request, its figures: one file for each Python in ``results`` (`results`), from which
`table` and `plot` make what the documentation shows.  POSIX only (`os.posix_spawn`, `os.wait4`).
"""
