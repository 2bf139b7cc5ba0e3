"""The page and the HTTP API. Sits on top of `rpkival`; nothing imports it but the command line."""
