"""What runs inside the box, beside student code.

The box sees this folder and nothing else of the grader, so nothing here may be secret,
and nothing that comes out of here may be trusted.
"""
