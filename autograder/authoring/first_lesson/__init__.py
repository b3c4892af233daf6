"""What `autograder new` writes, before the name and the title are filled in: nothing imports it."""
