"""Formulas as they were before one function had the law as a parameter."""
