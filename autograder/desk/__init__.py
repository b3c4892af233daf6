"""The instructor's desk: how is a term run, once submissions are graded?

In: results of gradings, and what people write: `course.toml` (rules), `marks.toml` (a person's word). Out: each
student's marks and grade, step by step, and what changed since the last time. No code of a student is run here, so a
changed rule or word needs no grading. Called by `cli`, and by scripts.
"""
