"""How does a class get its results?

In: submissions and `Settings`. Out: one `Result` for each, as they finish. `pipeline` is one submission's way from
file to result, `marks` the rule that gives points, `cache` what an earlier result still holds; `workers` grades many,
in the processes of a `pool`; `grade`, `regrade` and `shards` are what the commands call, `script` what scripts call.
"""
