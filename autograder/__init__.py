"""Grade notebooks of student code without trusting it.

A folder a question: `submission` (what was handed in?), `boxed` and `box` (how does it run without harm?),
`examination` and `checks` (is it right?), `batch` (how does a class get its results?), `collection` (where do
hand-ins come from?), `report` (how is a result shown?), `authoring` (how is a course made?).
"""

__version__ = "0.1.0"
