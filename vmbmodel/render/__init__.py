"""Answers as tables, JSON, CSV, SARIF, JUnit XML, and as a page with its workbook.

What a form needs, such as jinja2 or xlsxwriter, is loaded when the form is asked for.
"""

from vmbmodel._lazy import attach

__getattr__, __dir__ = attach(__name__, __file__)
