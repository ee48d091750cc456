"""What the policies of `scheduling` would have done on a trace, and would do with other machines, shares or rules."""
