"""What can be applied for, at which office, for how much, and on which channels: data that an editor writes."""
