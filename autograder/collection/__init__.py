"""Where do hand-ins come from?

In: a roster and the students' repositories. Out: a class as STUDENT/ASSIGNMENT/NOTEBOOK.ipynb, with a record of which
commit counted (`collect`). Only the command line calls it. It runs nothing that a repository holds (`git`).
"""
