"""Is the answer right? The language of the hidden checks, and what asks them.

In: a kernel that answers (a box's `Session`, or the course's own answers), and a lesson's module of checks.
Out: one `Evidence` for each check (`examine`). It runs outside the box and never trusts a value from inside:
`admission` is the door. The modules in `checks/` use `expectations`, `student`, `inference`, `architecture`
and `misconceptions`; `batch` and `authoring` call `examine`.
"""
