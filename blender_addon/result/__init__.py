"""The Result box: live clean-up, doubtful frames, errors, fitting frames again."""
