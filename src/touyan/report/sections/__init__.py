"""The sections of a report, one file each: a function from facts to a `Section`, or to None where there is nothing to say."""
