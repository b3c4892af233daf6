"""Is the answer right? The language of the hidden checks, and what asks them.

In: a kernel that answers (a box's `Session`, or the course's own answers), and a lesson's module of checks.
Out: one `Evidence` for each check (`examine`). It runs outside the box and never trusts a value from inside:
`admission` is the door. `batch` and `authoring` call `examine`. The modules in `checks/` use
the student: `student`, and what a model is outside of the box: `models`, `architecture`, `inference`,
`layers`, `activations`;
words that say what is expected: `expectations`, `recipes`, `scaling`, `datasets`, `misconceptions`;
right answers by the course's own formulas: `windows`, `measures`, `learning_curves`, `deep_networks`,
`street_forecasts`.
"""
