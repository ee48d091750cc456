"""The sections of a report, one file each: a function from facts to a `Section`, or to None where there is nothing to say.

They know nothing of the store or of each other's content. Invariant: a section that cannot say anything yet says so.
"""
