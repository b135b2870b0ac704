"""What several formulas are computed with: special functions, laws and solvers.

On plain arrays, unchecked. Nothing outside `vmbmodel.formulas` imports from here.
"""
