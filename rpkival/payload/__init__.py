"""What validation yields and routers need: VRPs as columns, their differences, and the formats they travel in."""
