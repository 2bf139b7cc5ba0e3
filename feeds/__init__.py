"""Sources of BGP announcements. Every feed yields `RouteBatch` columns and knows nothing of what is done with them."""
