"""The library for music apps: what they need of the OpenSubsonic API, under /rest."""
