"""Closed forms: numbers in, numbers out; they know no service, file or table."""
