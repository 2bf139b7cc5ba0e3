"""Many routers at once, to see what an RTR cache bears."""
