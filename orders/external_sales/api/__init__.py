"""Sales made elsewhere, and deciding about what is held, over HTTP."""
