"""The Result box: live clean-up, doubtful stretches, errors, fitting frames again."""
