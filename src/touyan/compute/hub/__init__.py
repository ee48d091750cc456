"""What the hub answers to the agents of sites (docs/design/network.md)."""
