"""A person's word: what somebody decides about a mark, without a server and without a grading.

In: `marks.toml`, which a person or `autograder mark` writes, and `gradebook.toml`, which is read back from nbgrader's
gradebook. Out: words, checked against the course. Called by the desk's other parts and by `cli`.
"""
