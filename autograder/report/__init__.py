"""How is a result shown?

In: a `Result`. Out: files in a folder (`files`), a feedback page (`page`), lines in a terminal, the summary and
annotations of a GitHub job. It decides nothing: a page is made from the result alone.
"""
