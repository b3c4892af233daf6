"""What was handed in, and which of its cells must run? Read, never run.

In: a path, and the released notebook. Out: a `Submission` (`find`), its cells (`notebook`), the notebook to run
(`restoration`), and for each exercise the cells that it depends on (`slicing`, with `names`, `scopes`, `effects`).
Anyone may call it, the students' part as well: it needs no box, no checks and no secret.
"""
