"""The answers: what the service does with what the user has."""
