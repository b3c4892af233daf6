"""The rules of a course: deadlines, late hand-ins, attempts, weights, and how a grade comes of them.

In: `course.toml`, which the lecturer writes, the points that gradings found, and people's words. Out: each student's
marks and grade, with every step on the way. Rules are applied after grading: a changed rule runs no student's code.
"""
