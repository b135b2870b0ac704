"""What the closed forms cost, next to other ways to the same numbers."""
