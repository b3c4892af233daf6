"""A person's word: what somebody decides about a mark, without a server and without a grading.

In: `marks.toml`, which a person or `autograder mark` writes. Out: words, checked against the course. Called by the
other parts of the desk.
"""
