"""How is a course made, and how good are its checks?

In: the notebooks in `source/`. Out: `release/`, `solutions/` and the tables beside the sources (`release`), the
repository that students start from (`kit`), and how well the checks tell right from wrong (`assess`). Only an author's
commands call it. It runs the course's own code without a box: never point it at a submission.
"""
