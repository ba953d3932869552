"""Demo data, demo logins and the scripted demo."""
