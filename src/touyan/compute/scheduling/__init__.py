"""Which waiting jobs start now: one code for the hub and for the simulator."""
