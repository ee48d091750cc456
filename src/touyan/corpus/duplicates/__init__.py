"""What was there before: equal documents, near-equal ones, repeated passages, earlier releases, evaluation sets.

Owns the operators that compare a document with others. Knows nothing about what a text is worth. Invariant: what is dropped or
cut names the document that stays, and a resemblance is counted on the texts themselves before anything is said about it.
"""
