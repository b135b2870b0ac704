"""What the user has: read and checked, never guessed."""
