"""Grade notebooks of student code without trusting it.

A submission's way, one stage a module:
`submission` (collect), `restoration` (restore), `execution` (execute, in the `box`),
`examination` (examine with the `hidden_checks`, outside it), `grading` (marks) and `report`.
"""

__version__ = "0.1.0"
